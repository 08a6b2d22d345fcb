using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A handshake that fails says why: in one line of the gateway, and in a counter.</summary>
[Collection(SharedCluster.Name)]
public sealed class HandshakeReasonTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    [Theory]
    [InlineData("NoSharedGroup", "-tls1_3 -groups P-521")]
    [InlineData("NoSharedGroup", "-tls1_2 -groups P-521")]
    [InlineData("NoSharedCipherSuite", "-tls1_2 -cipher AES128-SHA")]
    [InlineData("NoSharedCertificate", "-tls1_3 -sigalgs ed25519")]
    [InlineData("NoSharedCertificate", "-tls1_2 -sigalgs ed25519")]
    [InlineData("NoSharedProtocol", "-alpn spdy/3")]
    [InlineData("ProtocolVersion", "-tls1_1 -cipher ALL:@SECLEVEL=0")]
    [InlineData("ClientAlert", "-tls1_3 -verify_return_error -verify_hostname other.example")]
    public async Task Failed_handshake_is_told_with_its_reason_the_client_the_name_and_the_connection(string reason, string offer)
    {
        string counter = $"cssl_gateway_refusals_total{{reason=\"{Regex.Replace(reason, "(?<!^)[A-Z]", "_$0").ToLowerInvariant()}\"}}";
        string name = $"{Guid.NewGuid():N}.example";
        int mark = Cluster.Log.Length;

        // The log is limited by rate: other tests are refused too.
        await Eventually.TrueAsync(
            async () =>
            {
                ToolResult client = await Tool.RunAsync("openssl", ["s_client", "-connect", Cluster.Endpoint, "-servername", name, "-CAfile", Cluster.CertificateAuthority, .. offer.Split(' ')], "");
                Assert.NotEqual(0, client.ExitCode);
                return Cluster.Log.Text(mark).Split('\n').Any(line => line.StartsWith("gateway", StringComparison.Ordinal)
                    && Regex.IsMatch(line, $@"Refused 127\.0\.0\.1:\d+: {reason}: for {name}( at handshake-\d)?, .+ \(connection \d+\)"));
            },
            "a line with the reason");
        Assert.InRange(await Cluster.CounterAsync(counter), 1, long.MaxValue);
    }

    [Theory]
    [InlineData("localhost.")]
    [InlineData("LOCALHOST")]
    [InlineData("LocalHost.")]
    public async Task Name_with_a_dot_at_its_end_or_in_capitals_is_served(string name)
    {
        ToolResult client = await Tool.RunAsync(
            "openssl", ["s_client", "-connect", Cluster.Endpoint, "-servername", name, "-CAfile", Cluster.CertificateAuthority, "-verify_return_error", "-ign_eof"], SClient.Get("/bytes/10"));
        Assert.Contains("200 OK", client.Succeeded().Output, StringComparison.Ordinal);
    }
}

/// <summary>`cssl up` and `cssl serve` end, and say why, when no client like their own probe can ever be served.</summary>
[Collection(WaitingForUp.Name)]
public sealed class HopelessStartTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("up")]
    [InlineData("serve")]
    public async Task Start_ends_with_the_reason_when_the_probe_is_refused_for_its_offer(string command)
    {
        // The probe's own group; the silos have theirs from their configuration.
        await File.WriteAllTextAsync(_folder.File("openssl.cnf"), "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nGroups = P-521\n");

        ToolResult result = await RunAsync(command, environment: new Dictionary<string, string> { ["OPENSSL_CONF"] = _folder.File("openssl.cnf") });

        Assert.Equal(2, result.ExitCode);
        Assert.Matches(@"(?m)^cssl: no client like this one is ever served: GET https://127\.0\.0\.1:\d+/: the gateway refuses it: NoSharedGroup: .*no suitable key share$", result.Error);
        Assert.DoesNotContain("ready", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("up")]
    [InlineData("serve")]
    public async Task Start_ends_with_the_reason_when_the_key_is_on_a_curve_that_no_client_takes(string command)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromValue("1.3.132.0.10"));
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(_folder.File("k1.pem"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(_folder.File("k1.key"), key.ExportPkcs8PrivateKeyPem());

        ToolResult result = await RunAsync(
            command, ["--Certificates:0:Names=localhost", $"--Certificates:0:Certificate={_folder.File("k1.pem")}", $"--Certificates:0:Key={_folder.File("k1.key")}"]);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"Certificates: {_folder.File("k1.pem")}: its key is on the curve secP256k1, which no client takes", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Logging:LogLevel:Default=Loud", "command line: Logging:LogLevel:Default: \"Loud\" is not valid, expected one of Trace, Debug, Information, Warning, Error, Critical, None")]
    [InlineData("--Certificates:0:Certificate=a.pem", "command line: Certificates:0:Key is missing: the path of the PEM file with its private key")]
    [InlineData("--Certificates:0:Key=a.key", "command line: Certificates:0:Certificate is missing: the path of the PEM file with its chain")]
    public async Task Start_ends_with_one_line_for_a_value_that_is_wrong(string setting, string line)
    {
        ToolResult result = await RunAsync("up", [setting]);
        Assert.Equal((2, $"cssl: {line}\n"), (result.ExitCode, result.Error));
    }

    private Task<ToolResult> RunAsync(string command, string[]? settings = null, Dictionary<string, string>? environment = null)
        => Cssl.RunAsync([command, "--https", "0", "--admin", "0", "--state", _folder.File("state"), .. settings ?? []], Patience, environment);
}
