using CSsl.Tls;

namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Established"/>: the last answer of a handshake that succeeded.</summary>
/// <remarks>
/// <code>
/// consumed u32 | session 16 | client sequence u64 | server sequence u64 | version u16 | suite u16 | group u16, 0 for none | resumed u8
/// | ALPN u8 + text | server name u8 + text | capsule u16 + bytes | records
/// </code>
/// </remarks>
public sealed record Established
{
    private const int FixedLength = 47;

    /// <summary>Bytes of the last Handshake frame that were consumed; the rest belongs to the data phase.</summary>
    public required int Consumed { get; init; }

    /// <summary>The session's id in the cluster: key of its grains.</summary>
    public required Guid SessionId { get; init; }

    /// <summary>The sealed session, which the gateway can't open; less than 64 KiB.</summary>
    public required ReadOnlyMemory<byte> Capsule { get; init; }

    /// <summary>Sequence number of the next record from the client.</summary>
    public required ulong ClientSequence { get; init; }

    /// <summary>Sequence number of the next record to the client, after <see cref="Records"/>.</summary>
    public required ulong ServerSequence { get; init; }

    public required TlsVersion Version { get; init; }
    public required CipherSuite CipherSuite { get; init; }
    public required bool Resumed { get; init; }

    /// <summary>The group of the key exchange, for logs; null when there was no exchange.</summary>
    public NamedGroup? Group { get; init; }

    /// <summary>Null when none was negotiated; the empty string is sent as null.</summary>
    public string? ApplicationProtocol { get; init; }

    /// <summary>Null when the client named none; the empty string is sent as null.</summary>
    public string? ServerName { get; init; }

    /// <summary>The last records of the handshake for the client.</summary>
    public ReadOnlyMemory<byte> Records { get; init; }

    /// <exception cref="ArgumentException">A field is longer than the wire allows.</exception>
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[FixedLength + (2 * byte.MaxValue) + Capsule.Length + Records.Length]);
        payload.Count(Consumed);
        payload.Guid(SessionId);
        payload.U64(ClientSequence);
        payload.U64(ServerSequence);
        payload.U16((ushort)Version);
        payload.U16((ushort)CipherSuite);
        payload.U16((ushort)(Group ?? 0));
        payload.Flag(Resumed);
        payload.Text(ApplicationProtocol);
        payload.Text(ServerName);
        payload.Capsule(Capsule.Span);
        payload.Bytes(Records.Span);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Established Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var established = new Established
        {
            Consumed = reader.Count(),
            SessionId = reader.Guid(),
            ClientSequence = reader.U64(),
            ServerSequence = reader.U64(),
            Version = (TlsVersion)reader.U16(),
            CipherSuite = (CipherSuite)reader.U16(),
            Group = reader.U16() is not 0 and var group ? (NamedGroup)group : null,
            Resumed = reader.Flag(),
            ApplicationProtocol = reader.Text(),
            ServerName = reader.Text(),
            Capsule = reader.Capsule(),
            Records = reader.Rest().ToArray(),
        };
        if (!Enum.IsDefined(established.Version))
            reader.Fail("has an unknown TLS version");
        if (!Enum.IsDefined(established.CipherSuite))
            reader.Fail("has an unknown cipher suite");
        if (established.Group is { } known && !Enum.IsDefined(known))
            reader.Fail("has an unknown group");
        reader.Complete(nameof(Established));
        return established;
    }
}
