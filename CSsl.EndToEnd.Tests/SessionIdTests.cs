using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>TLS 1.2 clients without tickets come back by session id, to whichever silo.</summary>
[Collection(WaitingForUp.Name)]
public sealed class SessionIdTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Session_is_resumed_by_the_silo_that_did_not_make_it_until_a_fatal_alert_ends_it()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { HandshakeSilos = 2, DataSilos = 1 });
        cluster.Log.LineAdded += output.WriteLine;
        ClusterProcess[] silos = [.. (await cluster.StatusAsync()).Where(static process => process.Name.StartsWith("handshake", StringComparison.Ordinal))];
        using var folder = new TempDirectory();
        string session = folder.File("session");

        // With the second silo stopped only the first can have made the session; with the first one stopped only the second can resume it.
        // A session's grain may live on a silo that hangs: it lives elsewhere once that silo is out.
        ProcFs.Signal(silos[1].ProcessId, ProcFs.SigStop);
        await Eventually.TrueAsync(async () => await MakeAsync(cluster, session) && await ResumesAsync(cluster, session), "a session is stored");
        ProcFs.Signal(silos[1].ProcessId, ProcFs.SigCont);
        await Eventually.TrueAsync(async () => (await cluster.StatusAsync()).Count(IsActiveHandshakeSilo) == 2, "both handshake silos are active again");
        ProcFs.Signal(silos[0].ProcessId, ProcFs.SigStop);
        await Eventually.TrueAsync(() => ResumesAsync(cluster, session), "the other silo resumes the session");
        ProcFs.Signal(silos[0].ProcessId, ProcFs.SigCont);

        // The client's first record after the handshake is damaged: bad_record_mac, from the data silo.
        await using (var relay = new RelayProxy(cluster.Port, static () => new DamagedRecord(1)))
            await SClient.GetAsync(cluster, relay.Port, "/", "-tls1_2", "-no_ticket", "-sess_in", session);
        await Eventually.TrueAsync(async () => !await ResumesAsync(cluster, session), "the session is removed");
        cluster.Log.LineAdded -= output.WriteLine;
    }

    private static bool IsActiveHandshakeSilo(ClusterProcess process) => process is { State: "Active" } && process.Name.StartsWith("handshake", StringComparison.Ordinal);

    private static async Task<bool> MakeAsync(Cluster cluster, string session)
        => (await SClient.GetAsync(cluster, "/", "-tls1_2", "-no_ticket", "-sess_out", session)).ExitCode == 0;

    private static async Task<bool> ResumesAsync(Cluster cluster, string session)
    {
        ToolResult result = await SClient.GetAsync(cluster, "/", "-tls1_2", "-no_ticket", "-sess_in", session);
        return result.ExitCode == 0 && result.Output.Contains("Reused, TLSv1.2", StringComparison.Ordinal) && HttpText.Parse(result.Output).Status == 200;
    }
}
