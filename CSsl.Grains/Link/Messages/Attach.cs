using System.Net;

namespace CSsl.Grains.Link;

/// <summary>Payload of <see cref="FrameKind.Attach"/>: first attach, wake-up, move and takeover alike.</summary>
/// <remarks>
/// <code>
/// session 16 | client sequence u64 | server sequence u64 | connection u64 | client address | server address | capsule u16 + bytes
/// </code>
/// </remarks>
public sealed record Attach
{
    public required Guid SessionId { get; init; }

    /// <summary>The sealed session; less than 64 KiB.</summary>
    public required ReadOnlyMemory<byte> Capsule { get; init; }

    /// <summary>Sequence number of the next record from the client.</summary>
    public required ulong ClientSequence { get; init; }

    /// <summary>Sequence number of the next record to the client.</summary>
    public required ulong ServerSequence { get; init; }

    /// <summary>The gateway's number for the client connection, for logs.</summary>
    public required ulong ConnectionId { get; init; }

    public required IPEndPoint Client { get; init; }

    /// <summary>The address that the client connected to.</summary>
    public required IPEndPoint Server { get; init; }

    /// <exception cref="ArgumentException">The capsule is empty or longer than the wire allows.</exception>
    public byte[] Encode()
    {
        var payload = new PayloadWriter(96 + Capsule.Length);
        payload.Guid(SessionId);
        payload.U64(ClientSequence);
        payload.U64(ServerSequence);
        payload.U64(ConnectionId);
        payload.EndPoint(Client);
        payload.EndPoint(Server);
        CapsuleField.Write(payload, Capsule.Span);
        return payload.ToArray();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Attach Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new PayloadReader(payload, nameof(Attach));
        var attach = new Attach
        {
            SessionId = reader.Guid(),
            ClientSequence = reader.U64(),
            ServerSequence = reader.U64(),
            ConnectionId = reader.U64(),
            Client = reader.EndPoint(),
            Server = reader.EndPoint(),
            Capsule = CapsuleField.Read(ref reader),
        };
        reader.End();
        return attach;
    }
}
