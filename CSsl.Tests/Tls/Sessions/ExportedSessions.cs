using CSsl.Tls;
using CSsl.Tls.Sessions;
using FsCheck;
using FsCheck.Fluent;

namespace CSsl.Tests.Tls.Sessions;

/// <summary>Sessions as a handshake could have exported them.</summary>
internal static class ExportedSessions
{
    private static readonly char[] NameCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-/".ToCharArray();

    /// <summary>Any of them.</summary>
    public static Arbitrary<ExportedSession> Any { get; } = Generator().ToArbitrary();

    private static Gen<string?> Text => Gen.OneOf(
        Gen.Constant<string?>(null),
        Gen.Choose(0, 255).SelectMany(static n => Gen.ArrayOf(Gen.Elements(NameCharacters), n)).Select(static c => (string?)new string(c)),
        Gen.Elements<string?>("h2", "bücher.example", ""));

    /// <summary>A TLS 1.3 session whose secrets are easy to look for.</summary>
    public static ExportedSession Sample(byte fill = 0xA5) => new()
    {
        Version = TlsVersion.Tls13,
        CipherSuite = CipherSuite.Aes128GcmSha256,
        ClientSecret = Secret(32, fill),
        ServerSecret = Secret(32, fill),
        ExporterSecret = Secret(32, fill),
        ServerSequence = 2,
        ApplicationProtocol = "h2",
        ServerName = "www.example.com",
        CreatedAt = new DateTimeOffset(2026, 11, 22, 8, 0, 0, TimeSpan.Zero),
    };

    /// <summary>Everything in it, comparable.</summary>
    public static object Content(ExportedSession s) => (
        (s.Version, s.CipherSuite, s.ClientSequence, s.ServerSequence, s.ClientKeyBase, s.ServerKeyBase, s.ExplicitNonceBase, s.EncryptThenMac, s.FragmentLimit),
        (s.ApplicationProtocol, s.ServerName, s.Resumed, s.CreatedAt, s.SealedAt, s.DataSilo),
        string.Join('|', new[]
        {
            s.ClientSecret.Span.ToArray(), s.ServerSecret.Span.ToArray(), s.ExporterSecret.Span.ToArray(),
            s.ClientRandom, s.ServerRandom, s.PeerCertificate, s.ResumptionId,
        }.Select(Convert.ToHexString)));

    private static SecretBytes Secret(int length, byte fill)
    {
        var secret = new SecretBytes(length);
        secret.Span.Fill(fill);
        return secret;
    }

    private static Gen<ExportedSession> Generator() =>
        from info in Gen.Elements(CipherSuiteInfo.All.AsEnumerable())
        let tls13 = info.Version == TlsVersion.Tls13
        from client in Bytes(tls13 ? info.HashLength : 48)
        from server in Bytes(tls13 ? info.HashLength : 0)
        from exporter in tls13 ? Gen.OneOf(Bytes(0), Bytes(info.HashLength)) : Bytes(0)
        from clientRandom in Bytes(tls13 ? 0 : 32)
        from serverRandom in Bytes(tls13 ? 0 : 32)
        from resumptionId in tls13 ? Bytes(0) : Gen.OneOf(Bytes(0), Bytes(32))
        from sequences in Bytes(24)
        from encryptThenMac in Gen.Elements(false, true)
        from limit in Gen.Choose(64, 1 << 14)
        from protocol in Text
        from name in Text
        from silo in Text
        from resumed in Gen.Elements(false, true)
        from certificateLength in Gen.OneOf(Gen.Constant(0), Gen.Constant(0), Gen.Choose(1, ExportedSessionCodec.MaxPeerCertificateLength))
        from seconds in Gen.Choose(0, int.MaxValue)
        select new ExportedSession
        {
            Version = info.Version,
            CipherSuite = info.Suite,
            ClientSecret = new SecretBytes(client),
            ServerSecret = new SecretBytes(server),
            ExporterSecret = new SecretBytes(exporter),
            ClientRandom = clientRandom,
            ServerRandom = serverRandom,
            ClientSequence = BitConverter.ToUInt64(sequences, 0),
            ServerSequence = BitConverter.ToUInt64(sequences, 8),
            ClientKeyBase = tls13 ? BitConverter.ToUInt64(sequences, 0) / 2 : 0,
            ServerKeyBase = tls13 ? BitConverter.ToUInt64(sequences, 8) / 3 : 0,
            ExplicitNonceBase = !tls13 && info.Kind == CipherKind.AesGcm ? BitConverter.ToUInt64(sequences, 16) : 0,
            EncryptThenMac = encryptThenMac && !info.IsAead,
            FragmentLimit = limit,
            ApplicationProtocol = protocol,
            ServerName = name,
            DataSilo = silo,
            Resumed = resumed,
            ResumptionId = resumptionId,
            PeerCertificate = [.. Enumerable.Range(seconds, certificateLength).Select(static i => (byte)i)],
            CreatedAt = DateTimeOffset.UnixEpoch.AddSeconds(seconds).AddTicks(seconds % 10_000_000),
            SealedAt = DateTimeOffset.UnixEpoch.AddSeconds(seconds / 2),
        };

    private static Gen<byte[]> Bytes(int length) => Gen.ArrayOf(Gen.Choose(0, 255).Select(static b => (byte)b), length);
}
