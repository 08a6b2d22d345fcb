using System.Diagnostics;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A cluster on PostgreSQL whose database dies under load, and returns.</summary>
[Collection(WaitingForSilos.Name)]
public sealed class DatabaseLossTests(Postgres postgres, ITestOutputHelper output) : IClassFixture<Postgres>
{
    private const int Events = 60;

    [PostgresFact]
    public async Task Clients_are_served_while_the_database_is_away_and_come_back_by_session_id_when_it_is_there_again()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings
        {
            HandshakeSilos = 2,
            DataSilos = 1,
            Arguments = [$"--Cluster:Database={await postgres.CreateDatabaseAsync()}", "--Resumption:TicketKeyRotation=4s", "--no-restart"],
        });
        cluster.Log.LineAdded += output.WriteLine;
        using var folder = new TempDirectory();
        (string ticket, string session) = (folder.File("ticket"), folder.File("session"));
        await Eventually.TrueAsync(
            async () => (await GetAsync(cluster, "-tls1_2", "-no_ticket", "-sess_out", session)).ExitCode == 0 && await ReusedAsync(cluster, "-tls1_2", "-no_ticket", "-sess_in", session),
            "a session is stored");
        IReadOnlyList<ClusterProcess> before = await cluster.StatusAsync();

        await using Tool stream = Tool.Start("curl", ["-sSfN", "--cacert", cluster.CertificateAuthority, $"https://localhost:{cluster.Port}/sse?count={Events}&ms=250"]);
        await stream.Output.WaitForAsync("event 1 of");
        using var stop = new CancellationTokenSource();
        Task<int>[] load = [LoadAsync(cluster, stop.Token), LoadAsync(cluster, stop.Token)];

        await postgres.KillAsync();
        int mark = cluster.Log.Length;
        (await GetAsync(cluster, "-tls1_3", "-sess_out", ticket)).Succeeded();
        for (int i = 0; i < 4; i++)
        {
            Assert.True(await ReusedAsync(cluster, "-tls1_3", "-sess_in", ticket), "a ticket resumes");
            Assert.Contains("New, TLSv1.2", (await GetAsync(cluster, "-tls1_2", "-no_ticket", "-sess_in", session)).Succeeded().Output, StringComparison.Ordinal);
        }

        // Longer than one key is issued under: the ring stays as it is, and tickets go on.
        await cluster.Log.WaitForAsync("new ticket keys can't be stored", from: mark);
        Assert.True(await ReusedAsync(cluster, "-tls1_3", "-sess_in", ticket), "a ticket resumes while keys can't be rotated");

        await postgres.StartAsync();
        await Eventually.TrueAsync(() => ReusedAsync(cluster, "-tls1_2", "-no_ticket", "-sess_in", session), "the session is resumed again");
        mark = cluster.Log.Length;
        await cluster.Log.WaitForAsync("is new; tickets are issued under it", from: mark);

        ToolResult events = (await stream.ExitAsync()).Succeeded();
        Assert.Contains($"event {Events} of {Events}", events.Output, StringComparison.Ordinal);
        await stop.CancelAsync();
        foreach (Task<int> requests in load)
            Assert.InRange(await requests, 1, int.MaxValue);

        // Nobody was declared dead, nobody started anew.
        Assert.Equal(before.Select(static p => (p.Name, p.ProcessId, p.State)), (await cluster.StatusAsync()).Select(static p => (p.Name, p.ProcessId, p.State)));
        cluster.Log.LineAdded -= output.WriteLine;
    }

    [PostgresFact]
    public async Task Silos_stop_in_time_without_the_database()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings
        {
            DataSilos = 1, Arguments = [$"--Cluster:Database={await postgres.CreateDatabaseAsync()}", "--Silo:DrainTime=2s", "--Gateway:DrainTime=1s"],
        });
        await postgres.KillAsync();
        try
        {
            int mark = cluster.Log.Length;
            long start = Stopwatch.GetTimestamp();

            // cssl up would kill one that takes longer than its DrainTime and 12 s, and say so.
            await cluster.StopAsync();

            output.WriteLine($"stopped after {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
            Assert.DoesNotContain("killing it", cluster.Log.Text()[mark..], StringComparison.Ordinal);
            Assert.Contains("the cluster's database did not take this silo's leave within 5 s", cluster.Log.Text()[mark..], StringComparison.Ordinal);
        }
        finally
        {
            await postgres.StartAsync();
        }
    }

    /// <summary>Full handshakes and requests, one after another; each must succeed.</summary>
    private static async Task<int> LoadAsync(Cluster cluster, CancellationToken stop)
    {
        int requests = 0;
        for (; !stop.IsCancellationRequested; requests++)
            (await cluster.CurlAsync("/", "--max-time", "10")).Succeeded();
        return requests;
    }

    private static Task<ToolResult> GetAsync(Cluster cluster, params string[] arguments) => SClient.GetAsync(cluster, "/", arguments);

    private static async Task<bool> ReusedAsync(Cluster cluster, params string[] arguments)
        => (await GetAsync(cluster, arguments)).Succeeded().Output.Contains("Reused, TLSv1", StringComparison.Ordinal);
}
