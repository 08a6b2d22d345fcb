using CSsl.Tls;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>Sessions with secrets that never change, of every suite: what a handshake would have exported.</summary>
internal static class TestSessions
{
    public const ulong ExplicitNonceBase = 0xFFFF_FFFF_FFFF_FFF0;

    /// <summary>Every suite; CBC suites with MAC-then-encrypt and with encrypt-then-MAC.</summary>
    public static IEnumerable<(CipherSuite Suite, bool EncryptThenMac)> Suites
        => CipherSuiteInfo.All.SelectMany(suite => suite.IsAead ? [(suite.Suite, false)] : new[] { (suite.Suite, false), (suite.Suite, true) });

    /// <inheritdoc cref="Suites"/>
    public static TheoryData<CipherSuite, bool> All
    {
        get
        {
            var data = new TheoryData<CipherSuite, bool>();
            foreach (var (suite, encryptThenMac) in Suites)
                data.Add(suite, encryptThenMac);
            return data;
        }
    }

    public static TheoryData<CipherSuite> Aead => [.. CipherSuiteInfo.All.Where(suite => suite.IsAead).Select(suite => suite.Suite)];

    public static TheoryData<CipherSuite> Tls13 => [.. CipherSuiteInfo.All.Where(suite => suite.Version == TlsVersion.Tls13).Select(suite => suite.Suite)];

    public static TheoryData<CipherSuite> Tls12 => [.. CipherSuiteInfo.All.Where(suite => suite.Version == TlsVersion.Tls12).Select(suite => suite.Suite)];

    public static ExportedSession Create(CipherSuite suite, bool encryptThenMac = false, int fragmentLimit = 1 << 14)
    {
        var info = CipherSuiteInfo.Get(suite);
        var tls13 = info.Version == TlsVersion.Tls13;
        return new ExportedSession
        {
            Version = info.Version,
            CipherSuite = suite,
            ClientSecret = new SecretBytes(Bytes(tls13 ? info.HashLength : 48, 1)),
            ServerSecret = tls13 ? new SecretBytes(Bytes(info.HashLength, 2)) : SecretBytes.Empty,
            ExporterSecret = tls13 ? new SecretBytes(Bytes(info.HashLength, 3)) : SecretBytes.Empty,
            ClientRandom = tls13 ? [] : Bytes(32, 4),
            ServerRandom = tls13 ? [] : Bytes(32, 5),
            ClientSequence = tls13 ? 0UL : 1UL,
            ServerSequence = tls13 ? 2UL : 1UL,
            ExplicitNonceBase = ExplicitNonceBase,
            EncryptThenMac = encryptThenMac,
            FragmentLimit = fragmentLimit,
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
    }

    public static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
