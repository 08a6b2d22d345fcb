using System.Net;

namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.HandshakeStart"/>.</summary>
/// <remarks><code>connection u64 | deadline u32 | client address | data silo u8 + text</code></remarks>
/// <param name="ConnectionId">The gateway's number for the client connection, for logs.</param>
/// <param name="Client">The client's address.</param>
/// <param name="DeadlineMilliseconds">Time that is left for the handshake.</param>
/// <param name="DataSilo">The data silo that is to have the session first, which is sealed into its capsule; null when none is chosen yet.</param>
public readonly record struct HandshakeStart(ulong ConnectionId, IPEndPoint Client, int DeadlineMilliseconds, string? DataSilo = null)
{
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[36 + byte.MaxValue]);
        payload.U64(ConnectionId);
        payload.Count(DeadlineMilliseconds);
        payload.EndPoint(Client);
        payload.Text(DataSilo);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static HandshakeStart Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var connection = reader.U64();
        var deadline = reader.Count();
        var client = reader.EndPoint();
        var dataSilo = reader.Text();
        reader.Complete(nameof(HandshakeStart));
        return new HandshakeStart(connection, client, deadline, dataSilo);
    }
}
