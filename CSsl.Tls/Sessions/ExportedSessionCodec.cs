using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>The binary form of an <see cref="ExportedSession"/>, version 2. It is secret: it only ever leaves a silo inside a capsule.</summary>
/// <remarks>
/// Big-endian; "v1" is a length of one byte and as many bytes, "v2" one of two bytes.
/// <code>
///  codec version (1) | flags (1) | TLS version (2) | cipher suite (2) | fragment limit (2)
///  client sequence (8) | server sequence (8) | client key base (8) | server key base (8) | explicit nonce base (8) | created at, UTC ticks of 100 ns (8)
///  client secret (v1) | server secret (v1) | exporter secret (v1) | client random (v1) | server random (v1)
///  application protocol (v1, UTF-8) | server name (v1, UTF-8) | peer certificate (v2, DER)
///  resumption id (32), with flag 16 only
/// </code>
/// Flags: 1 encrypt-then-MAC, 2 resumed, 4 there is an application protocol, 8 there is a server name, 16 there is a resumption id.
/// Decoding is strict: every byte must be accounted for, and what it says must be a session that C-SSL can have negotiated.
/// </remarks>
public static class ExportedSessionCodec
{
    /// <summary>The version that this build writes, and the only one that it reads.</summary>
    public const byte Version = 2;

    /// <summary>The longest client certificate that is carried, in bytes of DER.</summary>
    public const int MaxPeerCertificateLength = 16 * 1024;

    /// <summary>Upper bound of an encoded session's length in bytes.</summary>
    public const int MaxEncodedLength = FixedLength + (7 * 256) + 2 + MaxPeerCertificateLength + ExportedSessionRules.ResumptionIdLength;

    private const int FixedLength = 56;

    [Flags]
    private enum Flags : byte
    {
        None = 0,
        EncryptThenMac = 1,
        Resumed = 2,
        ApplicationProtocol = 4,
        ServerName = 8,
        ResumptionId = 16,
        All = EncryptThenMac | Resumed | ApplicationProtocol | ServerName | ResumptionId,
    }

    /// <summary>Encodes into pinned memory, which the caller disposes. The session stays the caller's.</summary>
    /// <exception cref="ArgumentException">The session is not one that <see cref="Decode"/> would accept.</exception>
    public static SecretBytes Encode(ExportedSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (ExportedSessionRules.FindFault(session) is { } fault)
            throw new ArgumentException($"Not a session that can be exported: {fault}.", nameof(session));

        var encoded = new SecretBytes(EncodedLength(session));
        var writer = new SessionWriter(encoded.Span);
        writer.WriteByte(Version);
        writer.WriteByte((byte)FlagsOf(session));
        writer.WriteUInt16((ushort)session.Version);
        writer.WriteUInt16((ushort)session.CipherSuite);
        writer.WriteUInt16((ushort)session.FragmentLimit);
        writer.WriteUInt64(session.ClientSequence);
        writer.WriteUInt64(session.ServerSequence);
        writer.WriteUInt64(session.ClientKeyBase);
        writer.WriteUInt64(session.ServerKeyBase);
        writer.WriteUInt64(session.ExplicitNonceBase);
        writer.WriteUInt64((ulong)session.CreatedAt.UtcTicks);
        writer.WriteVector1(session.ClientSecret.Span);
        writer.WriteVector1(session.ServerSecret.Span);
        writer.WriteVector1(session.ExporterSecret.Span);
        writer.WriteVector1(session.ClientRandom);
        writer.WriteVector1(session.ServerRandom);
        writer.WriteString1(session.ApplicationProtocol);
        writer.WriteString1(session.ServerName);
        writer.WriteUInt16((ushort)session.PeerCertificate.Length);
        writer.WriteBytes(session.PeerCertificate);
        writer.WriteBytes(session.ResumptionId);
        return encoded;
    }

    /// <summary>Decodes a session, which the caller disposes; <paramref name="encoded"/> stays the caller's to wipe.</summary>
    /// <exception cref="SealedSessionException">An unknown codec version, or not an encoded session.</exception>
    public static ExportedSession Decode(ReadOnlySpan<byte> encoded)
    {
        var reader = new SessionReader(encoded);
        var version = reader.ReadByte();
        if (version != Version)
            throw new SealedSessionException($"Session codec version {version} is unknown here (this build reads {Version}).");

        SecretBytes clientSecret = SecretBytes.Empty, serverSecret = SecretBytes.Empty, exporterSecret = SecretBytes.Empty;
        try
        {
            var flags = (Flags)reader.ReadByte();
            if ((flags & ~Flags.All) != 0)
                throw SessionReader.Malformed("unknown flags");

            var session = new ExportedSession
            {
                Version = (TlsVersion)reader.ReadUInt16(),
                CipherSuite = (CipherSuite)reader.ReadUInt16(),
                FragmentLimit = reader.ReadUInt16(),
                ClientSequence = reader.ReadUInt64(),
                ServerSequence = reader.ReadUInt64(),
                ClientKeyBase = reader.ReadUInt64(),
                ServerKeyBase = reader.ReadUInt64(),
                ExplicitNonceBase = reader.ReadUInt64(),
                CreatedAt = ReadTime(ref reader),
                ClientSecret = clientSecret = reader.ReadSecret1(),
                ServerSecret = serverSecret = reader.ReadSecret1(),
                ExporterSecret = exporterSecret = reader.ReadSecret1(),
                ClientRandom = reader.ReadVector1().ToArray(),
                ServerRandom = reader.ReadVector1().ToArray(),
                ApplicationProtocol = reader.ReadString1(flags.HasFlag(Flags.ApplicationProtocol)),
                ServerName = reader.ReadString1(flags.HasFlag(Flags.ServerName)),
                PeerCertificate = reader.ReadBytes(reader.ReadUInt16()).ToArray(),
                ResumptionId = flags.HasFlag(Flags.ResumptionId) ? reader.ReadBytes(ExportedSessionRules.ResumptionIdLength).ToArray() : [],
                EncryptThenMac = flags.HasFlag(Flags.EncryptThenMac),
                Resumed = flags.HasFlag(Flags.Resumed),
            };

            if (!reader.AtEnd)
                throw SessionReader.Malformed("bytes are left over");
            if (ExportedSessionRules.FindFault(session) is { } fault)
                throw SessionReader.Malformed(fault);
            return session;
        }
        catch
        {
            clientSecret.Dispose();
            serverSecret.Dispose();
            exporterSecret.Dispose();
            throw;
        }
    }

    private static Flags FlagsOf(ExportedSession session)
        => (session.EncryptThenMac ? Flags.EncryptThenMac : Flags.None)
            | (session.Resumed ? Flags.Resumed : Flags.None)
            | (session.ApplicationProtocol is not null ? Flags.ApplicationProtocol : Flags.None)
            | (session.ServerName is not null ? Flags.ServerName : Flags.None)
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
            + 2 + session.PeerCertificate.Length
            + session.ResumptionId.Length;

    private static DateTimeOffset ReadTime(ref SessionReader reader)
    {
        var ticks = reader.ReadUInt64();
        return ticks <= (ulong)DateTimeOffset.MaxValue.UtcTicks
            ? new DateTimeOffset((long)ticks, TimeSpan.Zero)
            : throw SessionReader.Malformed("a creation time out of range");
    }
}
