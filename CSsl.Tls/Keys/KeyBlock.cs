using CSsl.Tls.Sessions;

namespace CSsl.Tls.Keys;

/// <summary>The TLS 1.2 key block (RFC 5246 section 6.3): the keys of both directions.</summary>
/// <remarks>
/// <code>
///   +----------------+----------------+------------+------------+-----------+-----------+
///   | client MAC key | server MAC key | client key | server key | client IV | server IV |
///   +----------------+----------------+------------+------------+-----------+-----------+
///    MAC keys for CBC suites only; IVs: 4 bytes for GCM, 12 for ChaCha20, none for CBC
/// </code>
/// </remarks>
internal static class KeyBlock
{
    private const int RandomLength = 32;

    /// <exception cref="ArgumentException">A random is not 32 bytes long.</exception>
    public static (TrafficKeys Client, TrafficKeys Server) Derive(CipherSuiteInfo suite, ReadOnlySpan<byte> masterSecret, ReadOnlySpan<byte> clientRandom, ReadOnlySpan<byte> serverRandom)
    {
        if (clientRandom.Length != RandomLength || serverRandom.Length != RandomLength)
            throw new ArgumentException("TLS 1.2 needs both randoms, 32 bytes each.");

        using var block = new SecretBytes(2 * (suite.MacLength + suite.KeyLength + suite.FixedIvLength));
        Tls12Prf.Expand(suite.Hash, masterSecret, "key expansion"u8, serverRandom, clientRandom, [], block.Span);

        ReadOnlySpan<byte> rest = block.Span;
        var clientMac = Take(ref rest, suite.MacLength);
        var serverMac = Take(ref rest, suite.MacLength);
        var clientKey = Take(ref rest, suite.KeyLength);
        var serverKey = Take(ref rest, suite.KeyLength);
        var clientIv = Take(ref rest, suite.FixedIvLength);
        var serverIv = Take(ref rest, suite.FixedIvLength);
        return (new TrafficKeys(clientKey, clientIv, clientMac), new TrafficKeys(serverKey, serverIv, serverMac));
    }

    private static SecretBytes Take(ref ReadOnlySpan<byte> rest, int length)
    {
        var taken = new SecretBytes(rest[..length]);
        rest = rest[length..];
        return taken;
    }
}
