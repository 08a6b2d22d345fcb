using System.Text;
using CSsl.Link;

namespace CSsl.Silo.Exchanges;

/// <summary>What a session that is attached begins with.</summary>
internal enum TakeoverStartKind
{
    /// <summary>The application gets it; after a takeover, requests that come again are judged one by one.</summary>
    Serve,

    /// <summary>A response or nothing, close_notify, and the end. The application never sees it.</summary>
    EndInOrder,

    /// <summary>Reset: the client must not take what it has for the whole.</summary>
    Abort,
}

/// <summary>How to begin with a session, as far as the gateway's word alone decides it.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Response">A whole HTTP/1.1 response, or nothing.</param>
internal readonly record struct TakeoverStart(TakeoverStartKind Kind, byte[] Response)
{
    private const string LostReason = "502 Bad Gateway: the server that had this request was lost, and the request was too long to be kept for another one\n";

    private static readonly byte[] Lost = Encoding.ASCII.GetBytes(
        $"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {LostReason.Length}\r\nConnection: close\r\n\r\n{LostReason}");

    private static TakeoverStart Serve => new(TakeoverStartKind.Serve, []);

    private static TakeoverStart EndInOrder => new(TakeoverStartKind.EndInOrder, []);

    private static TakeoverStart Refuse => new(TakeoverStartKind.EndInOrder, Lost);

    private static TakeoverStart Abort => new(TakeoverStartKind.Abort, []);

    /// <param name="attach">What the gateway says.</param>
    /// <param name="isHttp2">The connection speaks HTTP/2, whose state is lost with its silo.</param>
    /// <param name="note">The newest note since the checkpoint, or null.</param>
    public static TakeoverStart Of(Attach attach, bool isHttp2, ExchangeNote? note)
    {
        var isUntouched = attach is { IsReplayable: true, ReplayRecords: 0, DeliveredBytes: 0 };
        if (attach.Cause != AttachCause.Takeover || isUntouched)
            return Serve;
        if (isHttp2)
            return EndInOrder;
        if (attach.IsReplayable)
            return Serve;

        // The requests are lost: what can be said is said without them.
        var delivered = (long)attach.DeliveredBytes;
        return note switch
        {
            _ when delivered == 0 => Refuse,
            null => Abort,
            _ when delivered == note.Begin => Refuse,
            { Kind: NoteKind.Upgraded } => EndInOrder,

            // What is lost began behind that response; or it is the rest of a body that was answered early, and the client takes no second answer.
            { Kind: NoteKind.Response } when delivered == note.End => Refuse,
            _ => Abort,
        };
    }
}
