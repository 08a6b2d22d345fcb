using System.Buffers;
using System.IO.Pipelines;
using CSsl.Tls;
using CSsl.Tls.Records;

namespace CSsl.Silo.Transport;

/// <summary>What became of the records of a frame.</summary>
/// <param name="Records">How many were opened.</param>
/// <param name="Overhead">Bytes that do not reach the application (headers, tags, records for TLS itself): their credit is free at once.</param>
/// <param name="ReplyPending">TLS itself has something to answer.</param>
internal readonly record struct OpenedFrame(int Records, int Overhead, bool ReplyPending);

/// <summary>The client's records on their way to the application: opened into its input pipe. Not thread-safe.</summary>
internal sealed class RecordInput(DataPhase phase, PipeWriter application)
{
    [ThreadStatic]
    private static byte[]? t_scratch;

    private readonly int _maxLength = phase.Version == TlsVersion.Tls13 ? RecordHeader.MaxCiphertext13 : RecordHeader.MaxCiphertext12;

    private bool _unflushed;

    // Nobody reads any more: the client said it ends, or the application is done with its input.
    private bool _ended;
    private bool _completed;

    /// <summary>Opens whole records.</summary>
    /// <exception cref="TlsException">The client broke the protocol.</exception>
    /// <exception cref="InvalidDataException">The gateway sent something else than whole records.</exception>
    public OpenedFrame Open(ReadOnlySpan<byte> frame)
    {
        var opened = new OpenedFrame(0, 0, ReplyPending: false);
        while (!frame.IsEmpty && !_ended)
        {
            var peeked = RecordHeader.Peek(frame, _maxLength, out var header);
            if (peeked == RecordStatus.NeedMore)
                throw new InvalidDataException("A Records frame holds something else than whole records.");
            if (peeked != RecordStatus.Complete)
                throw new TlsException(RecordHeader.AlertFor(peeked), $"The client's bytes are no record: {peeked}.");

            var record = frame[..header.TotalLength];
            frame = frame[header.TotalLength..];
            var status = OpenOne(record, out var plaintext);
            opened = new OpenedFrame(opened.Records + 1, opened.Overhead + record.Length - plaintext, opened.ReplyPending || status == ReadStatus.ReplyPending);
            if (status == ReadStatus.CloseNotify)
                Complete(null);
        }

        return opened with { Overhead = opened.Overhead + frame.Length };
    }

    /// <summary>Lets the application see what was opened. It is woken on the thread pool.</summary>
    public void Flush()
    {
        if (!_unflushed || _ended)
            return;
        _unflushed = false;

        // The pipe has no limit of its own (credit is the limit), so this never waits.
        var flush = application.FlushAsync();
        if (flush.IsCompletedSuccessfully)
            _ended |= flush.Result.IsCompleted;
    }

    /// <summary>No more input: the client's end of it, or the connection's.</summary>
    public void Complete(Exception? error)
    {
        if (_completed)
            return;
        _completed = true;
        _ended = true;
        application.Complete(error);
    }

    private ReadStatus OpenOne(ReadOnlySpan<byte> record, out int plaintext)
    {
        // Into what is left of the pipe's block when the record is sure to fit: most requests. A larger one is opened aside and copied over
        // as many blocks as it needs, so that the pipe never holds more memory than the client has credit, whatever sizes it chooses.
        var room = application.GetSpan();
        if (room.Length >= record.Length)
        {
            var status = phase.Read(record, room, out plaintext);
            Written(plaintext, advance: true);
            return status;
        }

        var scratch = t_scratch ??= GC.AllocateUninitializedArray<byte>(RecordHeader.Size + RecordHeader.MaxCiphertext12);
        var opened = phase.Read(record, scratch, out plaintext);
        application.Write(scratch.AsSpan(0, plaintext));
        Written(plaintext, advance: false);
        return opened;
    }

    private void Written(int plaintext, bool advance)
    {
        if (plaintext == 0)
            return;
        if (advance)
            application.Advance(plaintext);
        _unflushed = true;
    }
}
