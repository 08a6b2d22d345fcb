using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CSsl.Cli.Certificates;

/// <summary>
/// Certificates for localhost, in a folder: a CA of this folder's own (P-256) and two leaves that it signed, RSA-2048 and P-256.
/// Files are PEM; keys can be read by their owner only.
/// </summary>
internal sealed class DevelopmentCertificates(string folder, TimeProvider time)
{
    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);

    /// <summary>Browsers refuse leaves that live for more than 398 days (CA/Browser Forum, Baseline Requirements 6.3.2).</summary>
    private static readonly TimeSpan LeafLife = TimeSpan.FromDays(390);

    /// <summary>A leaf is replaced when less than this is left.</summary>
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(14);

    private static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);

    /// <summary>The host names that the leaves are for.</summary>
    public static IReadOnlyList<string> HostNames { get; } = ["localhost", "*.localhost"];

    /// <summary>The addresses that the leaves are for; server_name never carries one (RFC 6066 section 3).</summary>
    public static IReadOnlyList<IPAddress> Addresses { get; } = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    public string AuthorityCertificate => Path.Combine(folder, "ca.crt");
    public string RsaCertificate => Path.Combine(folder, "rsa.crt");
    public string RsaKey => Path.Combine(folder, "rsa.key");
    public string EcdsaCertificate => Path.Combine(folder, "ecdsa.crt");
    public string EcdsaKey => Path.Combine(folder, "ecdsa.key");
    private string AuthorityKey => Path.Combine(folder, "ca.key");

    /// <summary>Makes what is missing or about to expire.</summary>
    /// <param name="renew">Make new leaves in any case; the CA stays, so whoever trusts it still does.</param>
    /// <returns>True when something was made.</returns>
    /// <exception cref="CryptographicException">A file is there but is not a certificate or key.</exception>
    public bool Ensure(bool renew = false)
    {
        var newAuthority = !File.Exists(AuthorityCertificate) || !File.Exists(AuthorityKey) || IsExpiring(AuthorityCertificate);
        if (newAuthority)
            MakeAuthority();

        var newRsa = renew || newAuthority || !File.Exists(RsaKey) || IsExpiring(RsaCertificate);
        var newEcdsa = renew || newAuthority || !File.Exists(EcdsaKey) || IsExpiring(EcdsaCertificate);
        if (!newRsa && !newEcdsa)
            return false;

        using var authority = X509Certificate2.CreateFromPemFile(AuthorityCertificate, AuthorityKey);
        if (newRsa)
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest(Subject("localhost"), key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            MakeLeaf(authority, request, X509KeyUsageFlags.KeyEncipherment, RsaCertificate);
            PrivateFile.Write(RsaKey, key.ExportPkcs8PrivateKeyPem());
        }

        if (newEcdsa)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            MakeLeaf(authority, new CertificateRequest(Subject("localhost"), key, HashAlgorithmName.SHA256), X509KeyUsageFlags.None, EcdsaCertificate);
            PrivateFile.Write(EcdsaKey, key.ExportPkcs8PrivateKeyPem());
        }

        return true;
    }

    private void MakeAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject($"C-SSL development CA ({Environment.MachineName})"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));

        var now = time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now - ClockSkew, now + AuthorityLife);
        PrivateFile.Write(AuthorityKey, key.ExportPkcs8PrivateKeyPem());
        WritePublic(AuthorityCertificate, certificate.ExportCertificatePem());
    }

    private void MakeLeaf(X509Certificate2 authority, CertificateRequest request, X509KeyUsageFlags usage, string path)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in HostNames)
            names.AddDnsName(name);
        foreach (var address in Addresses)
            names.AddIpAddress(address);

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | usage, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "TLS Web Server Authentication")], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));

        var now = time.GetUtcNow();
        using var signer = authority.GetECDsaPrivateKey()!;
        var signature = X509SignatureGenerator.CreateForECDsa(signer);
        using var certificate = request.Create(authority.SubjectName, signature, now - ClockSkew, Earlier(now + LeafLife, authority.NotAfter), SerialNumber());
        WritePublic(path, certificate.ExportCertificatePem());
    }

    private bool IsExpiring(string path)
    {
        if (!File.Exists(path))
            return true;

        using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
        return certificate.NotAfter.ToUniversalTime() < (time.GetUtcNow() + RenewBefore).UtcDateTime;
    }

    private static X500DistinguishedName Subject(string commonName)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(commonName);
        return name.Build();
    }

    /// <summary>Positive and 16 bytes long (RFC 5280 section 4.1.2.2).</summary>
    private static byte[] SerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static void WritePublic(string path, string pem) => File.WriteAllText(path, pem + "\n");
}
