using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Link;

/// <summary>
/// What both ends of a link derive from the cluster key, from what their ephemeral keys share, and from what they said. Who does not know the cluster key can't speak; who
/// learns it later can't read what was said, for the ephemeral keys are gone.
/// </summary>
/// <remarks>
/// HKDF-SHA256 throughout; T is the gateway's Hello and then the silo's. As in the key schedule of TLS 1.3 with a pre-shared key (RFC 8446 section 7.1), the key that both
/// have becomes the salt under which the new secret is extracted.
/// <code>
///   cluster key ── "cssl link 3 cluster" ──▶ salt
///                                              │
///   X25519(own private, peer's public) ─── Extract ──▶ secret
///                                                        ├─ "cssl link 3 proof gateway"   | SHA-256(T) ──▶ what the gateway says as its proof
///                                                        ├─ "cssl link 3 proof silo"      | SHA-256(T) ──▶ what the silo says
///                                                        ├─ "cssl link 3 traffic gateway" | SHA-256(T) ──▶ first secret of LinkCipher, gateway to silo
///                                                        └─ "cssl link 3 traffic silo"    | SHA-256(T) ──▶ silo to gateway
/// </code>
/// </remarks>
internal sealed class LinkKeySchedule : IDisposable
{
    public const int SecretLength = 32;

    private readonly SecretBytes _secret = new(SecretLength);
    private readonly byte[] _transcriptHash;

    /// <param name="clusterKey">The key that both must know.</param>
    /// <param name="shared">What the ephemeral keys share.</param>
    /// <param name="gatewayHello">As it was sent.</param>
    /// <param name="siloHello">As it was sent. The hellos' lengths are inside them, so that T has one reading.</param>
    public LinkKeySchedule(ReadOnlySpan<byte> clusterKey, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> gatewayHello, ReadOnlySpan<byte> siloHello)
    {
        using var salt = new SecretBytes(SecretLength);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterKey, salt.Span, salt: [], info: "cssl link 3 cluster"u8);
        HKDF.Extract(HashAlgorithmName.SHA256, shared, salt.Span, _secret.Span);
        _transcriptHash = SHA256.HashData([.. gatewayHello, .. siloHello]);
    }

    /// <summary>What an end says to prove that it knows the cluster key, and the private key of its Hello.</summary>
    public byte[] ProofOf(LinkEnd end)
    {
        var proof = new byte[SecretLength];
        Expand(end == LinkEnd.Gateway ? "cssl link 3 proof gateway"u8 : "cssl link 3 proof silo"u8, proof);
        return proof;
    }

    /// <summary>The first traffic secret of what an end sends; the caller's to dispose.</summary>
    public SecretBytes TrafficSecretOf(LinkEnd end)
    {
        var secret = new SecretBytes(SecretLength);
        Expand(end == LinkEnd.Gateway ? "cssl link 3 traffic gateway"u8 : "cssl link 3 traffic silo"u8, secret.Span);
        return secret;
    }

    public void Dispose() => _secret.Dispose();

    private void Expand(ReadOnlySpan<byte> label, Span<byte> output)
        => HKDF.Expand(HashAlgorithmName.SHA256, _secret.Span, output, [.. label, .. _transcriptHash]);
}
