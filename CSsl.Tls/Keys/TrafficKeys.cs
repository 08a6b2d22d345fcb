using CSsl.Tls.Sessions;

namespace CSsl.Tls.Keys;

/// <summary>What protects one direction under one key: write key, fixed IV and, for CBC suites, the MAC key.</summary>
internal sealed class TrafficKeys(SecretBytes key, SecretBytes iv, SecretBytes macKey) : IDisposable
{
    public SecretBytes Key { get; } = key;
    public SecretBytes Iv { get; } = iv;
    public SecretBytes MacKey { get; } = macKey;

    /// <summary>RFC 8446 section 7.3: [sender]_write_key and [sender]_write_iv from a traffic secret.</summary>
    public static TrafficKeys FromSecret(CipherSuiteInfo suite, ReadOnlySpan<byte> trafficSecret)
    {
        var key = new SecretBytes(suite.KeyLength);
        var iv = new SecretBytes(suite.FixedIvLength);
        HkdfLabel.Expand(suite.Hash, trafficSecret, "key"u8, [], key.Span);
        HkdfLabel.Expand(suite.Hash, trafficSecret, "iv"u8, [], iv.Span);
        return new TrafficKeys(key, iv, SecretBytes.Empty);
    }

    /// <summary>RFC 8446 section 7.2: replaces application_traffic_secret_N by its successor, in place.</summary>
    public static void MoveToNextSecret(CipherSuiteInfo suite, Span<byte> trafficSecret)
    {
        // HKDF-Expand reads the whole secret before it writes, but does not promise to: go through a copy.
        using var current = new SecretBytes(trafficSecret);
        HkdfLabel.Expand(suite.Hash, current.Span, "traffic upd"u8, [], trafficSecret);
    }

    public void Dispose()
    {
        Key.Dispose();
        Iv.Dispose();
        MacKey.Dispose();
    }
}
