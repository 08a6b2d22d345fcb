using System.Net;
using System.Text;
using CSsl.Link;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Connections.Features;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class ConnectionEndTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Theory]
    [InlineData("1.1", true)]
    [InlineData("1.1", false)]
    [InlineData("2.0", true)]
    [InlineData("2.0", false)]
    public async Task An_origin_that_is_gone_mid_response_is_an_error_never_a_short_success(string version, bool knownLength)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = async context =>
        {
            if (knownLength)
                context.Response.ContentLength = 1 << 20;
            await context.Response.Body.WriteAsync(new byte[100_000]);
            await context.Response.Body.FlushAsync();
            context.Features.Get<IConnectionLifetimeFeature>()!.Abort();
        };
        using var client = silo.NewHttpClient(Version.Parse(version));

        using var response = await client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_client_that_is_gone_ends_its_request_at_the_origin(string version)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var (reached, aborted) = silo.HoldRequests();
        GatewayChannel? channel = null;
        using var client = silo.NewHttpClient(Version.Parse(version), attached: opened => channel = opened);
        var answer = client.GetAsync("/");
        await reached;

        channel!.SendClose(CloseReason.ClientGone);

        await aborted;
        await Eventually.TrueAsync(() => silo.Sessions.Count == 0, "the session is gone");
        await Assert.ThrowsAnyAsync<Exception>(() => answer);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_lost_link_ends_its_sessions_and_their_requests(string version)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var (reached, aborted) = silo.HoldRequests();
        using var client = silo.NewHttpClient(Version.Parse(version));
        var answer = client.GetAsync("/");
        await reached;

        await silo.Gateway.DisposeAsync();

        await aborted;
        await Eventually.TrueAsync(() => silo.Sessions.Count == 0, "the session is gone");
        await Assert.ThrowsAnyAsync<Exception>(() => answer);
    }

    [Fact]
    public async Task A_client_that_shuts_its_side_down_gets_the_whole_answer()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var (_, go) = silo.HoldAnswers(new string('x', 200_000) + "end");
        var (tls, tcp) = await silo.ConnectAsync();
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        await tls.ShutdownAsync();
        tcp.ShutdownSend();
        go.SetResult();

        using var reader = new StreamReader(tls, Encoding.ASCII);
        var text = await reader.ReadToEndAsync().WaitAsync(TestSilo.Patience);

        Assert.EndsWith("end\r\n0\r\n\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_close_ends_with_close_notify_and_FIN()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        GatewayChannel? channel = null;
        var (tls, _) = await silo.ConnectAsync(opened => channel = opened);
        await tls.WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());

        using var reader = new StreamReader(tls, Encoding.ASCII);
        Assert.Contains("hello", await reader.ReadToEndAsync().WaitAsync(TestSilo.Patience), StringComparison.Ordinal);
        Assert.Equal(CloseReason.Done, await channel!.Closed);
    }

    [Fact]
    public async Task A_silo_that_stops_says_goodbye_and_lets_requests_finish()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var (reached, go) = silo.HoldAnswers("finished");
        using var client = silo.NewHttpClient();
        var answer = client.GetStringAsync("/");
        await reached;

        var stopping = silo.Application.StopAsync();
        await Eventually.TrueAsync(() => silo.Gateway.Link.PeerLeaving, "goodbye");
        Assert.Equal(CloseReason.Refused, await silo.Gateway.Attach(DirectSession.NewAttach(silo, Guid.NewGuid())).Closed);
        Assert.False(stopping.IsCompleted);
        go.SetResult();

        Assert.Equal("finished", await answer);
        await stopping.WaitAsync(TestSilo.Patience);
    }

    [Fact]
    public async Task A_silo_that_stops_leaves_what_does_not_finish_in_its_drain_time_to_another()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:DrainTime=200ms");
        var (reached, aborted) = silo.HoldRequests();
        GatewayChannel? channel = null;
        using var client = silo.NewHttpClient(attached: opened => channel = opened);
        var answer = client.GetAsync("/");
        await reached;

        await silo.Application.StopAsync().WaitAsync(TestSilo.Patience);

        await aborted;
        Assert.Null(await channel!.Closed);
        await Assert.ThrowsAnyAsync<Exception>(() => answer);
    }
}
