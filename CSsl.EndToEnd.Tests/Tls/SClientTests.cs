using CSsl.Tests.Support;
using CSsl.Tests.Tls.Handshake.OpenSsl;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Xunit;

namespace CSsl.EndToEnd.Tests.Tls;

/// <summary><c>openssl s_client</c>, a process of its own, over TCP.</summary>
public sealed class SClientTests : IClassFixture<TestCertificates>, IDisposable
{
    private readonly TestCertificates _certificates;
    private readonly TicketKeyRing _ring = TicketKeyRing.Start(DateTimeOffset.UtcNow, TimeSpan.Zero);
    private readonly EchoServer _server = new();

    public SClientTests(TestCertificates certificates) => _certificates = certificates;

    [Theory]
    [InlineData("-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256", CipherSuite.ChaCha20Poly1305Sha256)]
    [InlineData("-tls1_3 -sigalgs RSA-PSS+SHA256", CipherSuite.Aes128GcmSha256)]
    [InlineData("-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384", CipherSuite.EcdheRsaAes256GcmSha384)]
    [InlineData("-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384", CipherSuite.EcdheEcdsaAes256CbcSha384)]
    public async Task Client_gets_back_what_it_sends(string arguments, CipherSuite suite)
        => Assert.Equal(suite, (await TalkAsync(arguments)).CipherSuite);

    [Theory]
    [InlineData("", true)]
    [InlineData(" -no_etm", false)]
    public async Task Order_of_mac_and_encryption_is_what_was_negotiated(string arguments, bool encryptThenMac)
    {
        var session = await TalkAsync($"-tls1_2 -cipher ECDHE-RSA-AES256-SHA384{arguments}");
        Assert.Equal(encryptThenMac, session.EncryptThenMac);
    }

    [Theory]
    [InlineData("-tls1_3")]
    [InlineData("-tls1_2")]
    public async Task Fragments_are_as_short_as_the_client_wants_them(string version)
        => Assert.Equal(512, (await TalkAsync($"{version} -maxfraglen 512")).FragmentLimit);

    [Fact]
    public async Task Hello_retry_request_is_survived()
        => Assert.Equal(TlsVersion.Tls13, (await TalkAsync("-tls1_3 -groups P-521:P-384")).Version);

    [Theory]
    [InlineData("-tls1_3")]
    [InlineData("-tls1_2")]
    public async Task Session_resumes_at_another_silo(string version)
    {
        var file = _certificates.PathOf($"session{version}.pem");

        var first = await TalkAsync($"{version} -sess_out {file}");
        var second = await TalkAsync($"{version} -sess_in {file}");

        Assert.False(first.Resumed);
        Assert.True(second.Resumed);
    }

    public void Dispose()
    {
        _server.Dispose();
        _ring.Dispose();
    }

    /// <summary>One connection to a silo of its own: says something, and has it back.</summary>
    private async Task<EchoedSession> TalkAsync(string arguments)
    {
        using var factory = new OpenSslServerHandshakeFactory(_certificates.Both, new HandshakeOptions());
        factory.TicketKeys.Replace(_ring, issuing: 0);
        var serving = _server.ServeAsync(factory);

        var text = string.Concat(Enumerable.Range(0, 500).Select(static i => $"line {i}\n"));
        await using var client = Tool.Start(
            "openssl",
            [
                "s_client", "-connect", $"127.0.0.1:{_server.Port}", "-servername", "localhost",
                "-CAfile", _certificates.AuthorityPath, "-verify_return_error", "-quiet", "-no_ign_eof", .. arguments.Split(' '),
            ]);
        await client.TypeAsync(text);
        await client.Output.WaitForAsync("line 499");
        client.CloseInput();
        var result = await client.ExitAsync();

        Assert.Equal(0, result.ExitCode);
        Assert.Contains(text, result.Output, StringComparison.Ordinal);
        return await serving;
    }
}
