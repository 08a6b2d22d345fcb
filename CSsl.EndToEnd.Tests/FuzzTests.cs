using System.Diagnostics;
using System.Security.Authentication;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Mutated handshakes and requests against the running cluster, for a bounded time.</summary>
[Collection(SharedCluster.Name)]
public sealed class FuzzTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(8);
    private const int AtOnce = 16;

    private readonly ITestOutputHelper _output = output;

    [Fact]
    public async Task Mutated_handshakes_end_in_a_close_and_harm_nobody()
    {
        byte[][] seeds = [await RecordedHandshake.RecordAsync(Cluster, SslProtocols.Tls13), await RecordedHandshake.RecordAsync(Cluster, SslProtocols.Tls12)];
        IReadOnlyList<ClusterProcess> before = await Cluster.StatusAsync();
        int mark = Cluster.Log.Length;
        int seed = Random.Shared.Next();
        _output.WriteLine($"seed {seed}");
        long start = Stopwatch.GetTimestamp();
        int sent = 0;

        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async worker =>
        {
            var mutation = new Mutation(new Random(seed + worker));
            while (Stopwatch.GetElapsedTime(start) < Duration)
            {
                byte[] bytes = mutation.Of(seeds[Interlocked.Increment(ref sent) % seeds.Length]);
                using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
                await client.SendAndFinishAsync(bytes);
                await client.ReadToEndAsync();
            }
        }));

        _output.WriteLine($"{sent} connections");
        await AssertServedAsync();
        Assert.Equal(before.Select(process => (process.Name, process.ProcessId)), (await Cluster.StatusAsync()).Select(process => (process.Name, process.ProcessId)));
        string[] unexpected = [.. Cluster.Log.Text(mark).Split('\n').Where(line => line.Contains(" fail ", StringComparison.Ordinal) || line.Contains(" crit ", StringComparison.Ordinal))];
        Assert.Empty(unexpected);
    }
}
