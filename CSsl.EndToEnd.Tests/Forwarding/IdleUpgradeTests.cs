using System.Text;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Forwarding;

/// <summary>An upgraded connection may be idle for as long as it likes. A class of its own: it waits for two minutes, beside others.</summary>
public sealed class IdleUpgradeTests(RawOriginSite site, ITestOutputHelper output) : ClusterTest(site.Cluster, output), IClassFixture<RawOriginSite>
{
    [Fact]
    public async Task Idle_connection_outlives_the_time_that_an_ordinary_request_has()
    {
        (RawPeer client, RawPeer origin) = await site.UpgradeAsync("/idle");
        using RawPeer waiting = await site.ConnectAsync();
        using (client)
        using (origin)
        {
            await waiting.SendAsync(SClient.Get("/silent"));
            using RawPeer silent = await site.Origin.RequestAsync("/silent");

            // YARP's default of 100 s: what makes the test as long as that.
            byte[] answer = new byte[4096];
            int read = await waiting.Stream.ReadAsync(answer).AsTask().WaitAsync(TimeSpan.FromMinutes(3));
            Assert.StartsWith("HTTP/1.1 504 ", Encoding.Latin1.GetString(answer, 0, read), StringComparison.Ordinal);

            await client.SendAsync("ping;");
            Assert.Equal("ping;", await origin.ReadThroughAsync(";"));
            await origin.SendAsync("pong;");
            Assert.Equal("pong;", await client.ReadThroughAsync(";"));
        }
    }
}
