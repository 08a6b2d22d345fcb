using System.Buffers;
using System.IO.Pipelines;
using CSsl.Gateway.Connections;
using CSsl.Tls;
using CSsl.Tls.Records;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>
/// Tells a sleeping connection's close_notify from something that is worth waking a silo for: a lone record that can be an alert is held back for a moment,
/// because the client's FIN follows a close_notify at once. Guarded by whoever owns it.
/// </summary>
internal sealed class CloseNotifyWatch(PipeReader input, TlsVersion version, DeadlineQueue patience)
{
    /// <summary>Level and description, the content type, and the tag of every TLS 1.3 suite that there is (RFC 8446 sections 5.2 and 6).</summary>
    private const int Tls13AlertLength = 2 + 1 + 16;

    private LinkedListNode<DeadlineQueue.Ticket>? _ticket;

    // Set by the timer, on its thread.
    private volatile bool _isOver;

    /// <summary>True while what the client has sent may be close_notify: look again when there is more, or its end.</summary>
    public bool MayBeCloseNotify(in ReadOnlySequence<byte> unread)
    {
        if (_isOver || !IsLoneAlert(unread))
        {
            Forget();
            return false;
        }

        _ticket ??= patience.Enter(() =>
        {
            _isOver = true;
            input.CancelPendingRead();
        });
        return true;
    }

    /// <summary>Nothing is held back any more.</summary>
    /// <returns>True: something was, and its reader is to look again.</returns>
    public bool Forget()
    {
        var isHeld = _ticket is not null;
        patience.Leave(_ticket);
        (_ticket, _isOver) = (null, false);
        return isHeld;
    }

    /// <summary>In TLS 1.3 an alert looks like application data (RFC 8446 section 5.2), but has its length.</summary>
    private bool IsLoneAlert(in ReadOnlySequence<byte> unread)
    {
        Span<byte> start = stackalloc byte[RecordHeader.Size];
        if (unread.Length < start.Length)
            return false;

        unread.Slice(0, start.Length).CopyTo(start);
        return RecordHeader.Peek(start, RecordHeader.MaxCiphertext12, out var header) is RecordStatus.NeedMore or RecordStatus.Complete
            && header.TotalLength == unread.Length
            && (version == TlsVersion.Tls13 ? header is { Type: ContentType.ApplicationData, Length: Tls13AlertLength } : header.Type == ContentType.Alert);
    }
}
