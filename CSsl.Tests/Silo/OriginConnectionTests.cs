using System.Net;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>A silo that may have two connections to origins.</summary>
public sealed class OriginConnectionTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const int Capacity = 2;

    [Fact]
    public async Task Request_beyond_the_bound_is_answered_with_503_and_the_next_is_served_when_there_is_room()
    {
        await using var silo = await StartAsync("0.2s");
        var (held, go) = Hold(silo);
        using var client = silo.NewHttpClient(HttpVersion.Version20);
        var requests = Enumerable.Range(0, Capacity).Select(i => client.GetStringAsync($"/{i}")).ToArray();
        await Eventually.TrueAsync(() => held() == Capacity, "all connections are in use");

        using var refused = await client.GetAsync("/more");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("1", refused.Headers.RetryAfter?.ToString());
        Assert.Equal("503 Service Unavailable\n", await refused.Content.ReadAsStringAsync());

        go.SetResult();
        Assert.All(await Task.WhenAll(requests), static answer => Assert.Equal("done", answer));
        Assert.Equal("done", await client.GetStringAsync("/again"));
        Assert.Equal(Capacity, held.Invoke() - 1);
    }

    [Fact]
    public async Task Request_beyond_the_bound_waits_for_a_connection_that_another_gives_back()
    {
        await using var silo = await StartAsync("30s");
        var (held, go) = Hold(silo);
        using var client = silo.NewHttpClient(HttpVersion.Version20);
        var requests = Enumerable.Range(0, 10 * Capacity).Select(i => client.GetStringAsync($"/{i}")).ToArray();
        await Eventually.TrueAsync(() => held() == Capacity, "all connections are in use");

        go.SetResult();
        Assert.All(await Task.WhenAll(requests).WaitAsync(TestSilo.Patience), static answer => Assert.Equal("done", answer));
    }

    [Fact]
    public async Task Idle_connections_of_one_origin_make_room_for_requests_to_another()
    {
        await using var other = await TestOrigin.StartAsync();
        await using var silo = await TestSilo.StartAsync(certificates,
            $"--Limits:OriginConnections={Capacity}", "--ReverseProxy:Routes:other:ClusterId=other", "--ReverseProxy:Routes:other:Match:Path=/other", $"--ReverseProxy:Clusters:other:Destinations:one:Address={other.Address}");
        var (held, go) = Hold(silo);
        using var client = silo.NewHttpClient(HttpVersion.Version20);
        var requests = Enumerable.Range(0, Capacity).Select(i => client.GetStringAsync($"/{i}")).ToArray();
        await Eventually.TrueAsync(() => held() == Capacity, "all connections are in use");
        go.SetResult();
        await Task.WhenAll(requests);

        Assert.Equal("hello", await client.GetStringAsync("/other"));
    }

    private Task<TestSilo> StartAsync(string patience) => TestSilo.StartAsync(certificates, $"--Limits:OriginConnections={Capacity}", $"--Limits:OriginQueueTime={patience}");

    /// <summary>The origin answers once it is told to.</summary>
    /// <returns>How many requests have come; what lets them go on.</returns>
    private static (Func<int> Held, TaskCompletionSource Go) Hold(TestSilo silo)
    {
        var held = 0;
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.Origin.Handler = async context =>
        {
            Interlocked.Increment(ref held);
            await go.Task;
            await context.Response.WriteAsync("done");
        };
        return (() => Volatile.Read(ref held), go);
    }
}
