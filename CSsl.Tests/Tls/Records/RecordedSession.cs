using System.Buffers.Binary;
using CSsl.Tls;
using CSsl.Tls.Sessions;

namespace CSsl.Tests.Tls.Records;

/// <summary>One recorded session; all bytes in hexadecimal.</summary>
internal sealed record RecordedSession
{
    public const string ClientLine = "hello from the client\n";
    public const string ServerLine = "tneilc eht morf olleh\n";
    public const string ExporterLabel = "EXPORTER-C-SSL-test";

    public required CipherSuite Suite { get; init; }
    public bool EncryptThenMac { get; init; }

    /// <summary>TLS 1.3: the client's first application traffic secret; TLS 1.2: the master secret.</summary>
    public required string ClientSecret { get; init; }
    public string ServerSecret { get; init; } = "";
    public string ExporterSecret { get; init; } = "";
    public string ClientRandom { get; init; } = "";
    public string ServerRandom { get; init; } = "";

    /// <summary>TLS 1.2: the encrypted Finished records, which have sequence number 0.</summary>
    public string ClientFinished { get; init; } = "";
    public string ServerFinished { get; init; } = "";

    /// <summary>The first records of application data.</summary>
    public required string ClientRecord { get; init; }
    public required string ServerRecord { get; init; }

    /// <summary>32 bytes under <see cref="ExporterLabel"/>, without context.</summary>
    public required string Exported { get; init; }

    public CipherSuiteInfo Info => CipherSuiteInfo.Get(Suite);

    /// <summary>The session as a handshake would export it (first records next), or right after the change of ciphers (Finished next).</summary>
    public ExportedSession Export(bool afterFinished = true)
    {
        var sequence = Info.Version == TlsVersion.Tls12 && afterFinished ? 1UL : 0UL;
        return new ExportedSession
        {
            Version = Info.Version,
            CipherSuite = Suite,
            ClientSecret = Secret(ClientSecret),
            ServerSecret = Secret(ServerSecret),
            ExporterSecret = Secret(ExporterSecret),
            ClientRandom = Convert.FromHexString(ClientRandom),
            ServerRandom = Convert.FromHexString(ServerRandom),
            ClientSequence = sequence,
            ServerSequence = sequence,
            ExplicitNonceBase = ServerFinished.Length > 0 ? BinaryPrimitives.ReadUInt64BigEndian(Convert.FromHexString(ServerFinished).AsSpan(5)) : 0,
            EncryptThenMac = EncryptThenMac,
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
    }

    public override string ToString() => Info.IanaName + (EncryptThenMac ? ", encrypt-then-MAC" : "");

    private static SecretBytes Secret(string hex) => hex.Length == 0 ? SecretBytes.Empty : new SecretBytes(Convert.FromHexString(hex));
}
