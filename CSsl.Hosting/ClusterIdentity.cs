using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CSsl.Hosting;

/// <summary>
/// What a process shows on Orleans's connections to prove that it has the cluster key: a P-256 key that is derived from it, in a certificate that this
/// key signed itself. All processes of a cluster have the same key pair, and each takes no other public key from its peer, so nothing has to be handed out
/// beyond the cluster key. The certificate is only the envelope: its names and dates say nothing.
/// </summary>
public sealed class ClusterIdentity : IDisposable
{
    private const int ScalarLength = 32;
    private const string Subject = "CN=c-ssl cluster process";

    /// <summary>The order n of P-256's base point (FIPS 186-5, SP 800-186 section 3.2.1.3).</summary>
    private static readonly byte[] Order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");

    private readonly byte[] _publicKey;

    private ClusterIdentity(X509Certificate2 certificate)
    {
        Certificate = certificate;
        _publicKey = certificate.PublicKey.ExportSubjectPublicKeyInfo();
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The identity of all who have this key.</summary>
    public static ClusterIdentity Derive(ReadOnlySpan<byte> clusterKey)
    {
        var scalar = DeriveScalar(clusterKey);
        try
        {
            using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar });
            var request = new CertificateRequest(Subject, key, HashAlgorithmName.SHA256);
            return new ClusterIdentity(request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scalar);
        }
    }

    /// <summary>True for the certificate of a process that has the same cluster key. TLS has made sure that the peer holds its private key.</summary>
    public bool IsShownBy(X509Certificate2 remote) => remote.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_publicKey);

    /// <inheritdoc/>
    public void Dispose() => Certificate.Dispose();

    /// <summary>A private key, uniform in 1 to n - 1: of the derived candidates the first that is in the range (FIPS 186-5 appendix A.2.2); the second is needed once in 2^32 keys.</summary>
    private static byte[] DeriveScalar(ReadOnlySpan<byte> clusterKey)
    {
        var scalar = GC.AllocateArray<byte>(ScalarLength, pinned: true);
        ReadOnlySpan<byte> label = "c-ssl orleans tls identity "u8;
        for (byte candidate = 0; ; candidate++)
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterKey, scalar, salt: [], info: (byte[])[.. label, candidate]);
            if (scalar.AsSpan().ContainsAnyExcept((byte)0) && scalar.AsSpan().SequenceCompareTo(Order) < 0)
                return scalar;
        }
    }
}
