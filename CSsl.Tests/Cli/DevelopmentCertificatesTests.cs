using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using CSsl.Cli.Certificates;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Cli;

[UnsupportedOSPlatform("windows")]
public sealed class DevelopmentCertificatesTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly DevelopmentCertificates _certificates;

    public DevelopmentCertificatesTests() => _certificates = new DevelopmentCertificates(_folder.Path, _time);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("localhost")]
    [InlineData("a.localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Leaves_are_signed_by_the_authority_for_local_names(string name)
    {
        Assert.True(_certificates.Ensure());
        using var authority = Load(_certificates.AuthorityCertificate);
        foreach (var path in (string[])[_certificates.RsaCertificate, _certificates.EcdsaCertificate])
        {
            using var leaf = Load(path);
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(authority);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1"));
            Assert.True(chain.Build(leaf), string.Join(", ", chain.ChainStatus.Select(status => status.StatusInformation)));
            Assert.True(leaf.MatchesHostname(name));
            Assert.False(leaf.MatchesHostname("example.com"));
        }
    }

    [Fact]
    public void Keys_are_of_the_two_kinds_and_fit_their_certificates()
    {
        _certificates.Ensure();
        using var rsa = X509Certificate2.CreateFromPemFile(_certificates.RsaCertificate, _certificates.RsaKey);
        using var ecdsa = X509Certificate2.CreateFromPemFile(_certificates.EcdsaCertificate, _certificates.EcdsaKey);
        Assert.Equal(2048, rsa.GetRSAPrivateKey()!.KeySize);
        Assert.Equal(256, ecdsa.GetECDsaPrivateKey()!.KeySize);
    }

    [Fact]
    public void Keys_are_for_their_owner_only()
    {
        _certificates.Ensure();
        var keys = Directory.GetFiles(_folder.Path, "*.key");
        Assert.Equal(3, keys.Length);
        Assert.All(keys, key => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key)));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.new"));
    }

    [Fact]
    public void What_is_there_stays()
    {
        _certificates.Ensure();
        var before = Contents();
        Assert.False(_certificates.Ensure());
        Assert.Equal(before, Contents());
    }

    [Fact]
    public void Renewal_keeps_the_authority()
    {
        _certificates.Ensure();
        var before = Contents();
        Assert.True(_certificates.Ensure(renew: true));
        var after = Contents();
        Assert.Equal(before["ca.crt"], after["ca.crt"]);
        Assert.NotEqual(before["rsa.crt"], after["rsa.crt"]);
        Assert.NotEqual(before["ecdsa.key"], after["ecdsa.key"]);
    }

    [Fact]
    public void Leaves_that_expire_soon_are_replaced()
    {
        _certificates.Ensure();
        var before = Contents();
        _time.Advance(TimeSpan.FromDays(370));
        Assert.False(_certificates.Ensure());
        _time.Advance(TimeSpan.FromDays(10));
        Assert.True(_certificates.Ensure());
        Assert.Equal(before["ca.crt"], Contents()["ca.crt"]);
        Assert.NotEqual(before["rsa.crt"], Contents()["rsa.crt"]);
    }

    private Dictionary<string, string> Contents() => Directory.GetFiles(_folder.Path).ToDictionary(path => Path.GetFileName(path), File.ReadAllText);

    private static X509Certificate2 Load(string path) => X509CertificateLoader.LoadCertificateFromFile(path);
}
