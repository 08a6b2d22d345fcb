using CSsl.Tls.Handshake;
using Xunit;

namespace CSsl.Tests.Tls.Handshake;

public sealed class CertificateSourceTests
{
    private static readonly CertificateFiles Main = new("main.pem", "main.key");
    private static readonly CertificateFiles MainRsa = new("main-rsa.pem", "main-rsa.key");
    private static readonly CertificateFiles Wild = new("wild.pem", "wild.key");
    private static readonly CertificateFiles Api = new("api.pem", "api.key");

    private readonly CertificateSource _source = new(
    [
        new CertificateEntry(["example.com", "www.example.com"], Main),
        new CertificateEntry(["*.example.com"], Wild),
        new CertificateEntry(["WWW.example.com", "Example.com"], MainRsa),
        new CertificateEntry(["api.example.com"], Api),
    ]);

    [Theory]
    [InlineData("example.com", "main.pem")]
    [InlineData("EXAMPLE.com", "main.pem")]
    [InlineData("www.example.com", "main.pem")]
    [InlineData("api.example.com", "api.pem")]
    [InlineData("other.example.com", "wild.pem")]
    [InlineData("OTHER.EXAMPLE.COM", "wild.pem")]
    [InlineData("a.b.example.com", "main.pem")]
    [InlineData("ample.com", "main.pem")]
    [InlineData(".example.com", "main.pem")]
    [InlineData("example.org", "main.pem")]
    [InlineData("api.example.com.", "api.pem")]
    [InlineData("API.Example.COM.", "api.pem")]
    [InlineData("other.example.com.", "wild.pem")]
    [InlineData("api.example.com..", "main.pem")]
    [InlineData(".", "main.pem")]
    [InlineData("", "main.pem")]
    [InlineData(null, "main.pem")]
    public void Name_gets_its_certificate_or_the_wildcards_or_the_default(string? name, string expected)
        => Assert.Equal(expected, _source.Select(name)[0].CertificatePath);

    // RFC 3492 section 7.1 and what curl sends for these names.
    [Theory]
    [InlineData("bücher.example", "xn--bcher-kva.example")]
    [InlineData("BÜCHER.example", "xn--bcher-kva.example")]
    [InlineData("*.bücher.example", "a.xn--bcher-kva.example")]
    [InlineData("straße.example", "xn--strae-oqa.example")]
    [InlineData("他们为什么不说中文.example", "xn--ihqwcrb4cv8a8dqg056pqjye.example")]
    [InlineData("xn--bcher-kva.example", "XN--bcher-kva.example.")]
    public void International_name_matches_the_A_label(string configured, string sent)
    {
        var source = new CertificateSource([new CertificateEntry(["example.com"], Main), new CertificateEntry([configured], Api)]);
        Assert.Equal("api.pem", source.Select(sent)[0].CertificatePath);
    }

    [Theory]
    [InlineData("bu\u0308cher.example", "combining marks")]
    [InlineData("bü..example", "A-label")]
    public void Name_without_a_certain_A_label_is_refused(string name, string problem)
        => Assert.Contains(
            problem,
            Assert.Throws<ArgumentException>(() => new CertificateSource([new CertificateEntry([name], Main)])).Message,
            StringComparison.Ordinal);

    [Fact]
    public void U_label_and_A_label_are_one_name()
        => Assert.Equal([Main, MainRsa], new CertificateSource(
        [
            new CertificateEntry(["bücher.example"], Main),
            new CertificateEntry(["xn--bcher-kva.example"], MainRsa),
        ]).Select(null));

    [Fact]
    public void Entries_with_equal_names_are_one_identity()
        => Assert.Equal([Main, MainRsa], _source.Select("example.com"));

    [Fact]
    public void Same_answer_is_the_same_instance()
    {
        Assert.Same(_source.Select("example.com"), _source.Select("www.example.com"));
        Assert.Same(_source.Select("example.com"), _source.Select(null));
        Assert.Same(_source.Select("a.example.com"), _source.Select("b.example.com"));
        Assert.Equal(3, _source.All.Count);
        Assert.Contains(_source.All, list => ReferenceEquals(list, _source.Select("api.example.com")));
    }

    [Fact]
    public void Entries_without_names_are_a_default()
    {
        var source = new CertificateSource([new CertificateEntry([], Main), new CertificateEntry([], MainRsa)]);
        Assert.Equal([Main, MainRsa], source.Select("anything.example"));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("a.*.example.com")]
    [InlineData("*.*.example.com")]
    [InlineData("www.*")]
    [InlineData("no host")]
    [InlineData("example.com.")]
    [InlineData("")]
    public void Name_that_is_no_host_is_refused(string name)
        => Assert.Contains(
            $"'{name}'",
            Assert.Throws<ArgumentException>(() => new CertificateSource([new CertificateEntry([name], Main)])).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Name_in_two_identities_is_refused()
        => Assert.Contains(
            "'b.example' belongs to two entries",
            Assert.Throws<ArgumentException>(() => new CertificateSource(
            [
                new CertificateEntry(["a.example", "b.example"], Main),
                new CertificateEntry(["b.example"], Api),
            ])).Message,
            StringComparison.Ordinal);

    [Fact]
    public void No_entry_is_refused()
        => Assert.Throws<ArgumentException>(() => new CertificateSource([]));
}
