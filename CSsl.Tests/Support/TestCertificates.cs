using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CSsl.Tls.Handshake;

namespace CSsl.Tests.Support;

/// <summary>A certificate authority of a test's own and what it issues, as PEM files in a folder that is gone afterwards. A class fixture.</summary>
public sealed class TestCertificates : IDisposable
{
    // Making a 2048-bit key takes longer than most tests: one serves the whole run.
    private static readonly Lazy<RSA> SharedRsaKey = new(static () => RSA.Create(2048));

    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddDays(-1);

    private readonly TempDirectory _folder = new();
    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private int _issued;

    public TestCertificates()
    {
        // A name of its own: a client that trusts another test's authority must not take this one for it.
        var request = new CertificateRequest($"CN=C-SSL test authority {Guid.NewGuid():N}", _authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Authority = request.CreateSelfSigned(Start, Start.AddYears(10));
        AuthorityPath = Write("authority.pem", Authority.ExportCertificatePem());
        Rsa = IssueRsa("localhost");
        Ecdsa = IssueEcdsa("localhost");
    }

    /// <summary>The authority; its key is not in it.</summary>
    public X509Certificate2 Authority { get; }

    /// <summary>PEM file of the authority.</summary>
    public string AuthorityPath { get; }

    /// <summary>RSA-2048 for localhost, 127.0.0.1 and ::1.</summary>
    public CertificateFiles Rsa { get; }

    /// <summary>P-256 for localhost, 127.0.0.1 and ::1.</summary>
    public CertificateFiles Ecdsa { get; }

    /// <summary>Both, as one identity for localhost and the default.</summary>
    public CertificateSource Both => new(
    [
        new CertificateEntry(["localhost"], Rsa),
        new CertificateEntry(["localhost"], Ecdsa),
    ]);

    /// <summary>For clients: trusts the authority and nothing else.</summary>
    public X509ChainPolicy ChainPolicy => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    /// <summary>One certificate for every name.</summary>
    public static CertificateSource Only(CertificateFiles files) => new([new CertificateEntry([], files)]);

    /// <summary>Issues an RSA certificate for a host name (all of them share one key).</summary>
    public CertificateFiles IssueRsa(string name)
        => Issue(name, key => new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), SharedRsaKey.Value, default);

    /// <summary>Issues a P-256 certificate for a host name.</summary>
    /// <param name="name">Its host name.</param>
    /// <param name="notAfter">End of its validity; default: in nine years.</param>
    public CertificateFiles IssueEcdsa(string name, DateTimeOffset notAfter = default)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Issue(name, key => new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256), key, notAfter);
    }

    /// <summary>Writes a text file into the folder; returns its path.</summary>
    public string Write(string name, string text)
    {
        var path = _folder.File(name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>The path of a file in the folder.</summary>
    public string PathOf(string name) => _folder.File(name);

    public void Dispose()
    {
        Authority.Dispose();
        _authorityKey.Dispose();
        _folder.Dispose();
    }

    private CertificateFiles Issue<TKey>(string name, Func<TKey, CertificateRequest> newRequest, TKey key, DateTimeOffset notAfter)
        where TKey : AsymmetricAlgorithm
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);

        var request = newRequest(key);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));

        var number = Interlocked.Increment(ref _issued);
        var serial = new byte[8];
        RandomNumberGenerator.Fill(serial);
        serial[0] &= 0x7F;
        using var certificate = request.Create(
            Authority.SubjectName,
            X509SignatureGenerator.CreateForECDsa(_authorityKey),
            Start,
            notAfter == default ? Start.AddYears(9) : notAfter,
            serial);

        var certificatePath = Write($"{number}.pem", certificate.ExportCertificatePem() + "\n" + Authority.ExportCertificatePem() + "\n");
        var keyPath = Write($"{number}.key", key.ExportPkcs8PrivateKeyPem() + "\n");
        return new CertificateFiles(certificatePath, keyPath);
    }
}
