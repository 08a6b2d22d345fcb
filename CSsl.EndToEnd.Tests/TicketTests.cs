using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A cluster that logs a line for each handshake.</summary>
public sealed class LoggedHandshakes() : ClusterSite(new ClusterSettings
{
    HandshakeSilos = 2,
    DataSilos = 1,
    Environment = new Dictionary<string, string> { ["CSSL_Logging__LogLevel__CSsl.Gateway.Connections.ClientConnection"] = "Debug" },
});

/// <summary>Clients that come back with the ticket that they got last, each ticket once.</summary>
[Collection(OwnCluster.Name)]
public sealed class TicketTests(LoggedHandshakes handshakes, ITestOutputHelper output) : ClusterTest(handshakes.Cluster, output), IClassFixture<LoggedHandshakes>
{
    [Fact]
    public async Task Java_HttpClient_shakes_hands_in_full_only_once()
    {
        int mark = Cluster.Log.Length;

        ToolResult result = (await Tool.RunAsync("java", [Repository.ClientScript("HttpsClient.java"), Url("/"), Cluster.CertificateAuthority, "8"])).Succeeded();

        Assert.Equal(Enumerable.Repeat("200", 8), result.Output.TrimEnd().Split('\n'));
        string[] lines = await HandshakesSinceAsync(mark, "java-is-done.example");
        Assert.Equal((1, 7), (lines.Count(static line => line.Contains("resumed False", StringComparison.Ordinal)), lines.Count(static line => line.Contains("resumed True", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("-tls1_3", true)]
    [InlineData("-tls1_2", false)]
    public async Task S_client_goes_from_ticket_to_ticket(string version, bool isNew)
    {
        using var folder = new TempDirectory();
        string session = folder.File("session");
        (await SClient.GetAsync(Cluster, "/", version, "-sess_out", session)).Succeeded();
        var tickets = new HashSet<string> { await TicketAsync(session) };
        for (var connections = 0; connections < 5; connections++)
        {
            ToolResult result = (await SClient.GetAsync(Cluster, "/", version, "-sess_in", session, "-sess_out", session)).Succeeded();

            Assert.Contains("Reused, TLSv1", result.Output, StringComparison.Ordinal);
            Assert.Equal(200, HttpText.Parse(result.Output).Status);
            Assert.Equal(isNew, tickets.Add(await TicketAsync(session)));
        }
    }

    [Fact]
    public async Task Line_of_a_handshake_names_the_group()
    {
        int mark = Cluster.Log.Length;
        (await SClient.GetAsync(Cluster, "/", "-groups", "P-384")).Succeeded();

        Assert.Contains("group Secp384r1", Assert.Single(await HandshakesSinceAsync(mark, "group-is-told.example")), StringComparison.Ordinal);
    }

    /// <summary>The ticket, as OpenSSL prints it.</summary>
    private static async Task<string> TicketAsync(string session)
    {
        string text = (await Tool.RunAsync("openssl", ["sess_id", "-in", session, "-noout", "-text"])).Succeeded().Output;
        int start = text.IndexOf("TLS session ticket:", StringComparison.Ordinal);
        Assert.True(start > 0, text);
        return text[start..text.IndexOf("Start Time", start, StringComparison.Ordinal)];
    }

    /// <summary>The lines of the handshakes, up to that of one more client, which asks for a name of its own.</summary>
    private async Task<string[]> HandshakesSinceAsync(int mark, string last)
    {
        await Tool.RunAsync("openssl", ["s_client", "-connect", Cluster.Endpoint, "-servername", last, "-ign_eof"], SClient.Get("/"));
        await Cluster.Log.WaitForAsync($"for {last}", from: mark);
        return [.. Cluster.Log.Text(mark).Split('\n').Where(line => line.Contains(", ALPN ", StringComparison.Ordinal) && !line.Contains(last, StringComparison.Ordinal))];
    }
}
