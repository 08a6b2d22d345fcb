using System.Net;

namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.HandshakeStart"/>.</summary>
/// <remarks><code>connection u64 | deadline u32 | client address</code></remarks>
/// <param name="ConnectionId">The gateway's number for the client connection, for logs.</param>
/// <param name="Client">The client's address.</param>
/// <param name="DeadlineMilliseconds">Time that is left for the handshake.</param>
public readonly record struct HandshakeStart(ulong ConnectionId, IPEndPoint Client, int DeadlineMilliseconds)
{
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[40]);
        payload.U64(ConnectionId);
        payload.Count(DeadlineMilliseconds);
        payload.EndPoint(Client);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static HandshakeStart Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var connection = reader.U64();
        var deadline = reader.Count();
        var client = reader.EndPoint();
        reader.Complete(nameof(HandshakeStart));
        return new HandshakeStart(connection, client, deadline);
    }
}
