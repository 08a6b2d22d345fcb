using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>KeyUpdate and renegotiation by a client that is in the middle of something.</summary>
[Collection(SharedCluster.Name)]
public sealed class KeyUpdateTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    [Theory]
    [InlineData("K", 1)] // and the server is asked for one too
    [InlineData("k", 1)]
    [InlineData("K", 5)]
    public async Task Transfer_goes_on_when_the_client_updates_its_key(string command, int times)
    {
        const int First = 50_000_000, Second = 100_000;
        await using Tool client = Tool.Start("openssl", SClient.Arguments(Cluster, null, "-tls1_3"));
        await client.TypeAsync($"GET /bytes/{First} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await client.Output.WaitForAsync("HTTP/1.1 200");

        for (int i = 0; i < times; i++)
        {
            int before = client.Error.Length;
            await client.TypeAsync($"{command}\n"); // at the start of a read: s_client takes it as its own command
            await client.Error.WaitForAsync("KEYUPDATE", from: before);
        }

        await client.TypeAsync(SClient.Get($"/bytes/{Second}"));
        ToolResult result = (await client.ExitAsync()).Succeeded();

        string[] responses = result.Output.Split("HTTP/1.1 200 OK");
        Assert.Equal(3, responses.Length);
        Assert.Equal(OriginContent.Sha256(First), Body(responses[1], First));
        Assert.Equal(OriginContent.Sha256(Second), Body(responses[2], Second));
    }

    [Fact]
    public async Task Renegotiation_of_TLS_1_2_is_refused_in_a_bounded_way()
    {
        await using Tool client = Tool.Start("openssl", SClient.Arguments(Cluster, null, "-tls1_2", "-legacy_renegotiation"));
        await client.TypeAsync("GET /bytes/10 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await client.Output.WaitForAsync("HTTP/1.1 200");

        await client.TypeAsync("R\n");
        ToolResult result = await client.ExitAsync();

        // s_client gives up when it gets no_renegotiation.
        Assert.Contains("no renegotiation", result.Error, StringComparison.OrdinalIgnoreCase);
        (await SClient.GetAsync(Cluster, "/", "-brief", "-tls1_2")).Succeeded();
    }

    // s_client prints tickets and closing words around the body.
    private static string Body(string response, int length)
    {
        int start = response.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        return OriginContent.Sha256(System.Text.Encoding.Latin1.GetBytes(response.Substring(start, length)));
    }
}
