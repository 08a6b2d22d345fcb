using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Processes that may open few files, and clients that want more: nobody dies of it.</summary>
[Collection(OwnCluster.Name)]
public sealed class DescriptorLimitTests(ITestOutputHelper output)
{
    private const int Silent = 600, Streams = 200;

    private static readonly TimeSpan LoadTime = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("up")]
    [InlineData("serve")]
    public async Task Few_descriptors_and_many_clients_cost_nobody_his_session_and_no_process_its_life(string command)
    {
        // The soft limit alone would not do: it is raised.
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { Command = command, DataSilos = 1, OpenFiles = "300:500", Arguments = ["--Limits:OriginQueueTime=1s", "--Limits:FirstByteTime=3s"] });
        Assert.Contains("this process may open 500 files", cluster.Log.Text(), StringComparison.Ordinal);
        int[] processes = [.. (await cluster.StatusAsync()).Select(process => process.ProcessId).Distinct()];
        using var over = new CancellationTokenSource();
        long refused = await cluster.CounterAsync("cssl_gateway_accept_pauses_total");

        Task silent = OpenSilentAsync(cluster.Port, over.Token);
        Task<int> streams = AskAtOnceAsync(cluster);
        using HttpClient client = Web.Client(cluster);
        int served = 0;
        try
        {
            while (!streams.IsCompleted)
            {
                // A session that has something to say keeps its place, and has its answers; 503 while the slow requests have all connections to the origin.
                using HttpResponseMessage answer = await client.GetAsync("/bytes/1024");
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}");
                served += answer.IsSuccessStatusCode ? 1 : 0;
                foreach (int process in processes)
                    Assert.InRange(Directory.GetFileSystemEntries($"/proc/{process}/fd").Length, 1, 480);
            }
        }
        finally
        {
            await over.CancelAsync();
        }

        Assert.True(served > 0, "no request of the busy session was served");
        await silent;
        int unavailable = await streams;
        output.WriteLine($"{served} requests on the busy session, {unavailable} of the others answered with 503, {await cluster.CounterAsync("cssl_gateway_accept_pauses_total") - refused} pauses");
        Assert.True(unavailable > 0, "the origins' bound was never met");
        Assert.True(await cluster.CounterAsync("cssl_gateway_accept_pauses_total") > refused, "the clients' bound was never met");
        Assert.All(processes, process => Assert.True(ProcFs.IsAlive(process), $"{process} died; the log:\n{cluster.Log.Tail()}"));
        Assert.DoesNotContain("Too many open files", cluster.Log.Text(), StringComparison.Ordinal);
        for (int i = 0; i < 10; i++)
        {
            long start = Stopwatch.GetTimestamp();
            (await cluster.CurlAsync("/")).Succeeded();
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        }
    }

    /// <summary>Sockets that say nothing, and come again when they are closed.</summary>
    private static Task OpenSilentAsync(int port, CancellationToken over) => Task.WhenAll(Enumerable.Range(0, Silent).Select(async _ =>
    {
        byte[] nothing = new byte[1];
        while (!over.IsCancellationRequested)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), over);
                await socket.ReceiveAsync(nothing, over);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // It was closed, as is to be expected; or it is over.
            }
        }
    }));

    /// <summary>Slow requests of one HTTP/2 connection after the other, more at once than there may be connections to the origin.</summary>
    /// <returns>How many were answered with 503. No other error is right.</returns>
    private static async Task<int> AskAtOnceAsync(Cluster cluster)
    {
        int unavailable = 0;
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < LoadTime;)
        {
            using HttpClient client = Web.Client(cluster, HttpVersion.Version20);
            client.Timeout = TimeSpan.FromMinutes(2);
            HttpStatusCode[] answers = await Task.WhenAll(Enumerable.Range(0, Streams).Select(async i =>
            {
                using HttpResponseMessage answer = await client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/slow?ms=3000&n={i}"), CancellationToken.None);
                return answer.StatusCode;
            }));
            Assert.All(answers, answer => Assert.True(answer is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{answer}"));
            unavailable += answers.Count(answer => answer == HttpStatusCode.ServiceUnavailable);
        }

        return unavailable;
    }
}
