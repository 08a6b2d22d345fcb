using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>Every silo is stopped and started again, one of each role at a time, under clients that never pause.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class RollingRestartTests(SurvivalSite site, ITestOutputHelper output) : ClusterTest(site.Cluster, output)
{
    private const int Clients = 12, Length = 100_000;

    [Fact]
    public async Task Rolling_restart_of_every_silo_loses_no_request_and_no_connection()
    {
        Scene scene = Scene.Body(BodyKind.Untagged, Length);
        scene.Release();
        string path = site.Add(scene), sha256 = OriginContent.Sha256(Length);
        await site.WholeAsync();
        KeepAliveClient[] clients = [.. Enumerable.Range(0, Clients).Select(_ => new KeepAliveClient(site.Cluster))];
        foreach (KeepAliveClient client in clients)
            await client.Http.GetByteArrayAsync(path); // so that each data silo has some of them
        using var over = new CancellationTokenSource();
        Task<int>[] load = [.. clients.Select(client => FetchAsync(client, path, sha256, over.Token))];

        await RestartAsync("data-1", "handshake-1");
        await RestartAsync("data-2", "handshake-2");

        await over.CancelAsync();
        int[] requests = await Task.WhenAll(load);
        Assert.DoesNotContain(0, requests);
        Assert.Equal(Clients, clients.Sum(static client => client.Connections));
        Assert.Equal(Clients + requests.Sum(), scene.Arrivals.Count);
        foreach (KeepAliveClient client in clients)
            client.Dispose();
    }

    private async Task RestartAsync(params string[] silos)
    {
        ProcessStatus[] old = [.. (await site.ProcessesAsync()).Where(process => silos.Contains(process.Name))];
        Assert.Equal(silos.Length, old.Length);
        foreach (ProcessStatus process in old)
            ProcFs.Signal(process.Pid, ProcFs.SigTerm);
        foreach (ProcessStatus process in old)
            await site.WholeAgainAsync(process.Name, process.Pid);
    }

    /// <summary>Fetches until told to stop; returns how often. Each must succeed.</summary>
    private static async Task<int> FetchAsync(KeepAliveClient client, string path, string sha256, CancellationToken over)
    {
        int requests = 0;
        for (; !over.IsCancellationRequested; requests++)
            Assert.Equal(sha256, OriginContent.Sha256(await client.Http.GetByteArrayAsync(path, CancellationToken.None)));
        return requests;
    }
}
