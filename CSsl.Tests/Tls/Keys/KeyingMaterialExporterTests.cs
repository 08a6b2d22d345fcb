using System.Security.Cryptography;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Keys;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Keys;

/// <summary>What OpenSSL exports is compared in <see cref="RecordedSessionTests"/>.</summary>
public sealed class KeyingMaterialExporterTests
{
    private const string Label = "EXPERIMENTAL test";

    [Fact]
    public void Empty_context_is_none_in_tls_1_3_and_another_one_in_tls_1_2()
    {
        Assert.Equal(Export(CipherSuite.Aes256GcmSha384, null), Export(CipherSuite.Aes256GcmSha384, []));
        Assert.NotEqual(Export(CipherSuite.EcdheRsaAes256GcmSha384, null), Export(CipherSuite.EcdheRsaAes256GcmSha384, []));
    }

    [Theory]
    [InlineData(CipherSuite.ChaCha20Poly1305Sha256)]
    [InlineData(CipherSuite.EcdheEcdsaAes128CbcSha256)]
    public void Context_changes_the_output(CipherSuite suite)
    {
        Assert.NotEqual(Export(suite, [1]), Export(suite, [2]));
        Assert.Equal(Export(suite, [1]), Export(suite, [1]));
    }

    [Fact]
    public void Context_in_tls_1_2_has_its_length_before_it()
    {
        using var session = TestSessions.Create(CipherSuite.EcdheRsaAes128GcmSha256);
        var expected = new byte[40];
        Tls12Prf.Expand(HashAlgorithmName.SHA256, session.ClientSecret.Span, "EXPERIMENTAL test"u8, session.ClientRandom, session.ServerRandom, [0, 3, 7, 8, 9], expected);

        Assert.Equal(expected, Export(CipherSuite.EcdheRsaAes128GcmSha256, [7, 8, 9]));
    }

    [Theory]
    [InlineData("master secret")]
    [InlineData("key expansion")]
    [InlineData("client finished")]
    [InlineData("server finished")]
    [InlineData("ümlaut")]
    public void Labels_of_tls_itself_are_refused(string label)
    {
        using var session = TestSessions.Create(CipherSuite.EcdheRsaAes128GcmSha256);
        using var exporter = new KeyingMaterialExporter(session);

        Assert.Throws<ArgumentException>(() => exporter.Export(label, new byte[32]));
    }

    [Fact]
    public void Session_without_exporter_secret_exports_nothing()
    {
        using var session = new ExportedSession
        {
            Version = TlsVersion.Tls13,
            CipherSuite = CipherSuite.Aes128GcmSha256,
            ClientSecret = new SecretBytes(32),
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        using var exporter = new KeyingMaterialExporter(session);

        Assert.Throws<InvalidOperationException>(() => exporter.Export(Label, new byte[32]));
    }

    private static byte[] Export(CipherSuite suite, byte[]? context)
    {
        using var session = TestSessions.Create(suite);
        using var exporter = new KeyingMaterialExporter(session);
        var output = new byte[40];
        if (context is null)
            exporter.Export(Label, output);
        else
            exporter.Export(Label, context, output);
        return output;
    }
}
