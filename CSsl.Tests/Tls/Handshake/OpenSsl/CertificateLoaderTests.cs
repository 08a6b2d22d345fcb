using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>What an operator is told about files that can't be used.</summary>
public sealed class CertificateLoaderTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Fact]
    public void Certificates_that_were_loaded_are_listed()
    {
        using var factory = Load(certificates.Both);
        Assert.Equal(
            [(certificates.Rsa.CertificatePath, "RSA", "CN=localhost"), (certificates.Ecdsa.CertificatePath, "EC", "CN=localhost")],
            factory.Certificates.Select(static c => (c.Path, c.KeyAlgorithm, c.Subject)));
        Assert.All(factory.Certificates, static c => Assert.Null(c.Warning(DateTimeOffset.UtcNow)));
    }

    [Theory]
    [InlineData("RSA PRIVATE KEY")]
    [InlineData("PRIVATE KEY")]
    public void Key_may_be_of_any_pem_form(string label)
    {
        var pem = File.ReadAllText(certificates.Rsa.KeyPath);
        if (label == "RSA PRIVATE KEY")
        {
            using var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            pem = rsa.ExportRSAPrivateKeyPem();
        }

        using var factory = Load(certificates.Rsa with { KeyPath = certificates.Write($"{label}.key", $"some text before\n{pem}\n") });
        Assert.Single(factory.Certificates);
    }

    [Fact]
    public void Certificate_and_key_may_be_one_file()
    {
        var both = certificates.Write(
            "both.pem", File.ReadAllText(certificates.Ecdsa.KeyPath) + File.ReadAllText(certificates.Ecdsa.CertificatePath));
        using var factory = Load(new CertificateFiles(both, both));
        Assert.Single(factory.Certificates);
    }

    [Fact]
    public void Expired_certificate_is_loaded_with_a_warning()
    {
        var expired = certificates.IssueEcdsa("old.example", DateTimeOffset.UtcNow.AddHours(-1));
        using var factory = Load(expired);
        Assert.Contains("expired", factory.Certificates[0].Warning(DateTimeOffset.UtcNow), StringComparison.Ordinal);
        Assert.Contains("not valid before", factory.Certificates[0].Warning(DateTimeOffset.UtcNow.AddYears(-1)), StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        AssertRefused(certificates.Rsa with { CertificatePath = certificates.PathOf("gone.pem") }, "gone.pem", "there is no such file");
        AssertRefused(certificates.Rsa with { KeyPath = certificates.PathOf("gone.key") }, "gone.key", "there is no such file");
    }

    [Fact]
    public void File_that_is_not_pem_is_told()
    {
        var text = certificates.Write("text.txt", "no certificate at all");
        AssertRefused(certificates.Rsa with { CertificatePath = text }, "text.txt", "not a PEM certificate");
        AssertRefused(certificates.Rsa with { KeyPath = text }, "text.txt", "not a PEM private key");
        AssertRefused(new CertificateFiles(certificates.Rsa.KeyPath, certificates.Rsa.CertificatePath), ".key", "not a PEM certificate");
        AssertRefused(certificates.Rsa with { KeyPath = certificates.Write("empty.key", "") }, "empty.key", "not a PEM private key");
    }

    [Fact]
    public void Malformed_pem_is_told()
    {
        var certificate = certificates.Write("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
        AssertRefused(certificates.Rsa with { CertificatePath = certificate }, "cut.pem", "malformed");
        var key = certificates.Write("cut.key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
        AssertRefused(certificates.Rsa with { KeyPath = key }, "cut.key", "the private key is malformed");
    }

    [Theory]
    [InlineData("\r\n", "")]
    [InlineData("\n", "a bag of text: -----\nBag Attributes\n    friendlyName: x\n")]
    [InlineData("\r\n", "subject=/CN=localhost\r\n\r\n")]
    public void Chain_and_key_are_read_with_any_line_end_and_text_around(string lineEnd, string text)
    {
        string Rewrite(string path) => text + File.ReadAllText(path).ReplaceLineEndings(lineEnd) + lineEnd + text;
        var chain = certificates.Write("around.pem", Rewrite(certificates.Ecdsa.CertificatePath) + Rewrite(certificates.AuthorityPath));
        using var factory = Load(new CertificateFiles(chain, certificates.Write("around.key", Rewrite(certificates.Ecdsa.KeyPath))));
        Assert.Equal("CN=localhost", Assert.Single(factory.Certificates).Subject);
    }

    [Theory]
    [InlineData("\uFEFF", "byte order mark")]
    [InlineData("text-", "a certificate in it is malformed")]
    public void First_certificate_of_a_chain_is_never_passed_over(string before, string problem)
    {
        var chain = certificates.Write("chain.pem", before + File.ReadAllText(certificates.Ecdsa.CertificatePath) + "\n" + File.ReadAllText(certificates.AuthorityPath));
        AssertRefused(certificates.Ecdsa with { CertificatePath = chain }, "chain.pem", problem);
    }

    [Fact]
    public void Key_in_another_encoding_is_told()
    {
        var pem = File.ReadAllText(certificates.Ecdsa.KeyPath);
        AssertRefused(certificates.Ecdsa with { KeyPath = certificates.Write("bom.key", "\uFEFF" + pem) }, "bom.key", "byte order mark");
        var wide = certificates.PathOf("wide.key");
        File.WriteAllText(wide, pem, System.Text.Encoding.Unicode);
        AssertRefused(certificates.Ecdsa with { KeyPath = wide }, "wide.key", "UTF-16");
    }

    [Theory]
    [InlineData("-----BEGIN ")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMII")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERT")]
    public void Chain_that_is_cut_is_told(string end)
    {
        AssertRefused(certificates.Ecdsa with { CertificatePath = certificates.Write("cut-leaf.pem", end) }, "cut-leaf.pem", "the file is cut");
        var chain = certificates.Write("cut-chain.pem", File.ReadAllText(certificates.Ecdsa.CertificatePath) + "\n" + end);
        AssertRefused(certificates.Ecdsa with { CertificatePath = chain }, "cut-chain.pem", "the file is cut");
    }

    [Fact]
    public void Key_that_is_cut_is_told()
    {
        var key = File.ReadAllText(certificates.Ecdsa.KeyPath);
        AssertRefused(certificates.Ecdsa with { KeyPath = certificates.Write("cut.key", key[..(key.Length / 2)]) }, "cut.key", "the file is cut");
    }

    [Theory]
    [InlineData("1.3.132.0.10", "secP256k1")]
    [InlineData("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1")]
    public void Key_on_a_curve_that_no_client_takes_is_told(string curve, string name)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromValue(curve));
        AssertRefused(SelfSigned(key, "unusual"), "unusual.pem", $"its key is on the curve {name}, which no client takes");
    }

    [Fact]
    public void Keys_on_the_usual_curves_are_taken()
    {
        foreach (var curve in (ECCurve[])[ECCurve.NamedCurves.nistP256, ECCurve.NamedCurves.nistP384, ECCurve.NamedCurves.nistP521])
        {
            using var key = ECDsa.Create(curve);
            using var factory = Load(SelfSigned(key, "usual"));
            Assert.Single(factory.Certificates);
        }
    }

    [Fact]
    public void Names_that_the_certificate_does_not_have_are_told()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var factory = Load(SelfSigned(key, "names", "a.example", "*.b.example", "xn--bcher-kva.example"));
        var certificate = Assert.Single(factory.Certificates);

        Assert.Null(certificate.NamesWarning([]));
        Assert.Null(certificate.NamesWarning(["A.example", "x.b.example", "*.b.example", "bücher.example"]));
        Assert.Equal(
            $"{certificate.Path}: the certificate is not for b.example, x.y.b.example, *.example: it is for a.example, *.b.example, xn--bcher-kva.example",
            certificate.NamesWarning(["a.example", "b.example", "x.y.b.example", "*.example"]));
    }

    [Fact]
    public void Key_of_another_certificate_is_told()
    {
        var other = certificates.IssueEcdsa("other.example");
        AssertRefused(certificates.Ecdsa with { KeyPath = other.KeyPath }, ".key", $"does not belong to the certificate {certificates.Ecdsa.CertificatePath}");
        AssertRefused(certificates.Ecdsa with { KeyPath = certificates.Rsa.KeyPath }, ".key", "does not belong to the certificate");
    }

    [Fact]
    public void Encrypted_key_is_told()
    {
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportFromPem(File.ReadAllText(certificates.Ecdsa.KeyPath));
        var pem = ecdsa.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        AssertRefused(certificates.Ecdsa with { KeyPath = certificates.Write("encrypted.key", pem) }, "encrypted.key", "the private key is encrypted");
    }

    [Fact]
    public void Directory_in_place_of_a_file_is_told()
    {
        Directory.CreateDirectory(certificates.PathOf("folder"));
        AssertRefused(certificates.Rsa with { CertificatePath = certificates.PathOf("folder") }, "folder", "may not be read by this user, or is a directory");
    }

    [Fact]
    public void Key_that_is_too_weak_is_told()
    {
        using var key = RSA.Create(1024);
        var request = new CertificateRequest("CN=weak.example", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var files = new CertificateFiles(
            certificates.Write("weak.pem", certificate.ExportCertificatePem()), certificates.Write("weak.key", key.ExportPkcs8PrivateKeyPem()));
        AssertRefused(files, "weak.pem", "key too small");
    }

    [Fact]
    public void Two_certificates_of_one_key_type_are_refused()
    {
        var source = new CertificateSource(
        [
            new CertificateEntry(["localhost"], certificates.Ecdsa),
            new CertificateEntry(["localhost"], certificates.IssueEcdsa("localhost")),
        ]);
        Assert.Contains("a second EC certificate", Assert.Throws<CertificateException>(() => Load(source)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Client_authorities_that_can_not_be_read_are_named()
    {
        var path = certificates.PathOf("nobody.pem");
        var options = new HandshakeOptions { ClientAuthoritiesPath = path };
        var failure = Assert.Throws<CertificateException>(() => new OpenSslServerHandshakeFactory(certificates.Both, options));
        Assert.Equal(path, failure.Path);
    }

    [Fact]
    public void Options_that_contradict_themselves_are_refused()
    {
        AssertRefused(new HandshakeOptions { MinVersion = TlsVersion.Tls13, MaxVersion = TlsVersion.Tls12 });
        AssertRefused(new HandshakeOptions { CipherSuites = [CipherSuite.Aes128GcmSha256] });
        AssertRefused(new HandshakeOptions { CipherSuites = [CipherSuite.EcdheRsaAes128GcmSha256] });
        AssertRefused(new HandshakeOptions { CipherSuites = [(CipherSuite)0x0005] });
        AssertRefused(new HandshakeOptions { Groups = ["no-such-group"] });
        AssertRefused(new HandshakeOptions { ApplicationProtocols = [""] });
        AssertRefused(new HandshakeOptions { TicketCount = -1 });
        AssertRefused(new HandshakeOptions { TicketLifetime = TimeSpan.FromDays(8) });
    }

    private CertificateFiles SelfSigned(ECDsa key, string file, params string[] names)
    {
        var request = new CertificateRequest("CN=self.example", key, HashAlgorithmName.SHA256);
        if (names.Length > 0)
        {
            var alternatives = new SubjectAlternativeNameBuilder();
            foreach (var name in names)
                alternatives.AddDnsName(name);
            request.CertificateExtensions.Add(alternatives.Build());
        }

        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new CertificateFiles(certificates.Write($"{file}.pem", certificate.ExportCertificatePem()), certificates.Write($"{file}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    private static OpenSslServerHandshakeFactory Load(ICertificateSource source) => new(source, new HandshakeOptions());

    private static OpenSslServerHandshakeFactory Load(CertificateFiles files) => Load(TestCertificates.Only(files));

    private static void AssertRefused(CertificateFiles files, string file, string problem)
    {
        var failure = Assert.Throws<CertificateException>(() => Load(files));
        Assert.EndsWith(file, failure.Path, StringComparison.Ordinal);
        Assert.StartsWith(failure.Path, failure.Message, StringComparison.Ordinal);
        Assert.Contains(problem, failure.Message, StringComparison.Ordinal);
    }

    private void AssertRefused(HandshakeOptions options)
        => Assert.ThrowsAny<ArgumentException>(() => new OpenSslServerHandshakeFactory(certificates.Both, options));
}
