using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>The binary form of an <see cref="ExportedSession"/>, version 3. It is secret: it only ever leaves a silo inside a capsule.</summary>
/// <remarks>
/// Big-endian; "v1" is a length of one byte and as many bytes, "v2" one of two bytes.
/// <code>
///  codec version (1) | flags (1) | TLS version (2) | cipher suite (2) | fragment limit (2)
///  client sequence (8) | server sequence (8) | client key base (8) | server key base (8) | explicit nonce base (8) | created at, UTC ticks of 100 ns (8) | sealed at (8)
///  client secret (v1) | server secret (v1) | exporter secret (v1) | client random (v1) | server random (v1)
///  application protocol (v1, UTF-8) | server name (v1, UTF-8) | data silo (v1, UTF-8) | peer certificate (v2, DER)
///  resumption id (32), with flag 16 only
/// </code>
/// Flags: 1 encrypt-then-MAC, 2 resumed, 4 there is an application protocol, 8 there is a server name, 16 there is a resumption id, 32 there is a data silo.
/// Decoding is strict: every byte must be accounted for, and what it says must be a session that C-SSL can have negotiated.
/// </remarks>
public static class ExportedSessionCodec
{
    /// <summary>The version that this build writes, and the only one that it reads.</summary>
    public const byte Version = 3;

    /// <summary>The longest client certificate that is carried, in bytes of DER.</summary>
    public const int MaxPeerCertificateLength = 16 * 1024;

    /// <summary>Upper bound of an encoded session's length in bytes.</summary>
    public const int MaxEncodedLength = FixedLength + (8 * 256) + 2 + MaxPeerCertificateLength + ExportedSessionRules.ResumptionIdLength;

    private const int FixedLength = 64;

    [Flags]
    private enum Flags : byte
    {
        None = 0,
        EncryptThenMac = 1,
        Resumed = 2,
        ApplicationProtocol = 4,
        ServerName = 8,
        ResumptionId = 16,
        DataSilo = 32,
        All = EncryptThenMac | Resumed | ApplicationProtocol | ServerName | ResumptionId | DataSilo,
    }

    /// <summary>Encodes into pinned memory, which the caller disposes. The session stays the caller's.</summary>
    /// <exception cref="ArgumentException">The session is not one that <see cref="Decode"/> would accept.</exception>
    public static SecretBytes Encode(ExportedSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (ExportedSessionRules.FindFault(session) is { } fault)
            throw new ArgumentException($"Not a session that can be exported: {fault}.", nameof(session));

        var encoded = new SecretBytes(EncodedLength(session));
        var writer = new WireWriter(encoded.Span);
        writer.U8(Version);
        writer.U8((byte)FlagsOf(session));
        writer.U16((ushort)session.Version);
        writer.U16((ushort)session.CipherSuite);
        writer.U16((ushort)session.FragmentLimit);
        writer.U64(session.ClientSequence);
        writer.U64(session.ServerSequence);
        writer.U64(session.ClientKeyBase);
        writer.U64(session.ServerKeyBase);
        writer.U64(session.ExplicitNonceBase);
        writer.U64((ulong)session.CreatedAt.UtcTicks);
        writer.U64((ulong)session.SealedAt.UtcTicks);
        writer.Vector8(session.ClientSecret.Span);
        writer.Vector8(session.ServerSecret.Span);
        writer.Vector8(session.ExporterSecret.Span);
        writer.Vector8(session.ClientRandom);
        writer.Vector8(session.ServerRandom);
        writer.Text(session.ApplicationProtocol);
        writer.Text(session.ServerName);
        writer.Text(session.DataSilo);
        writer.U16((ushort)session.PeerCertificate.Length);
        writer.Bytes(session.PeerCertificate);
        writer.Bytes(session.ResumptionId);
        return encoded;
    }

    /// <summary>Decodes a session, which the caller disposes; <paramref name="encoded"/> stays the caller's to wipe.</summary>
    /// <exception cref="SealedSessionException">An unknown codec version, or not an encoded session.</exception>
    public static ExportedSession Decode(ReadOnlySpan<byte> encoded)
    {
        var reader = new WireReader(encoded);
        var version = reader.U8();
        if (version != Version)
            throw new SealedSessionException($"Session codec version {version} is unknown here (this build reads {Version}).");

        var flags = (Flags)reader.U8();
        if ((flags & ~Flags.All) != 0)
            reader.Fail("has unknown flags");
        var session = new ExportedSession
        {
            Version = (TlsVersion)reader.U16(),
            CipherSuite = (CipherSuite)reader.U16(),
            FragmentLimit = reader.U16(),
            ClientSequence = reader.U64(),
            ServerSequence = reader.U64(),
            ClientKeyBase = reader.U64(),
            ServerKeyBase = reader.U64(),
            ExplicitNonceBase = reader.U64(),
            CreatedAt = ReadTime(ref reader),
            SealedAt = ReadTime(ref reader),
            ClientSecret = ReadSecret(ref reader),
            ServerSecret = ReadSecret(ref reader),
            ExporterSecret = ReadSecret(ref reader),
            ClientRandom = reader.Vector8().ToArray(),
            ServerRandom = reader.Vector8().ToArray(),
            ApplicationProtocol = ReadText(ref reader, flags.HasFlag(Flags.ApplicationProtocol)),
            ServerName = ReadText(ref reader, flags.HasFlag(Flags.ServerName)),
            DataSilo = ReadText(ref reader, flags.HasFlag(Flags.DataSilo)),
            PeerCertificate = reader.Vector16().ToArray(),
            ResumptionId = flags.HasFlag(Flags.ResumptionId) ? reader.Bytes(ExportedSessionRules.ResumptionIdLength).ToArray() : [],
            EncryptThenMac = flags.HasFlag(Flags.EncryptThenMac),
            Resumed = flags.HasFlag(Flags.Resumed),
        };

        reader.End();
        var fault = reader.Fault is { } malformed ? $"it {malformed}" : ExportedSessionRules.FindFault(session);
        if (fault is null)
            return session;
        session.Dispose();
        throw new SealedSessionException($"Not an encoded session: {fault}.");
    }

    private static Flags FlagsOf(ExportedSession session)
        => (session.EncryptThenMac ? Flags.EncryptThenMac : Flags.None)
            | (session.Resumed ? Flags.Resumed : Flags.None)
            | (session.ApplicationProtocol is not null ? Flags.ApplicationProtocol : Flags.None)
            | (session.ServerName is not null ? Flags.ServerName : Flags.None)
            | (session.DataSilo is not null ? Flags.DataSilo : Flags.None)
            | (session.ResumptionId.Length > 0 ? Flags.ResumptionId : Flags.None);

    private static int EncodedLength(ExportedSession session)
        => FixedLength
            + 1 + session.ClientSecret.Length
            + 1 + session.ServerSecret.Length
            + 1 + session.ExporterSecret.Length
            + 1 + session.ClientRandom.Length
            + 1 + session.ServerRandom.Length
            + 1 + Encoding.UTF8.GetByteCount(session.ApplicationProtocol ?? "")
            + 1 + Encoding.UTF8.GetByteCount(session.ServerName ?? "")
            + 1 + Encoding.UTF8.GetByteCount(session.DataSilo ?? "")
            + 2 + session.PeerCertificate.Length
            + session.ResumptionId.Length;

    private static DateTimeOffset ReadTime(ref WireReader reader)
    {
        var ticks = reader.U64();
        if (ticks <= (ulong)DateTimeOffset.MaxValue.UtcTicks)
            return new DateTimeOffset((long)ticks, TimeSpan.Zero);
        reader.Fail("has a time out of range");
        return default;
    }

    private static SecretBytes ReadSecret(ref WireReader reader)
    {
        var bytes = reader.Vector8();
        return bytes.IsEmpty ? SecretBytes.Empty : new SecretBytes(bytes);
    }

    private static string? ReadText(ref WireReader reader, bool isPresent)
    {
        var text = reader.Text();
        if (text is not null && !isPresent)
            reader.Fail("has a text that its flag denies");
        return isPresent ? text ?? "" : null;
    }
}
