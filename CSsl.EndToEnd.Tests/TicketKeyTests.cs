using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>The ticket keys of a cluster rotate while it serves.</summary>
[Collection(WaitingForUp.Name)]
public sealed class TicketKeyTests(ITestOutputHelper output)
{
    private const string NewKey = "is new; tickets are issued under it";

    [Fact]
    public async Task Ticket_survives_a_rotation_on_every_silo_and_is_refused_after_two_more()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings
        {
            HandshakeSilos = 2,
            DataSilos = 1,
            Arguments = ["--Resumption:TicketKeyRotation=3s"],
        });
        cluster.Log.LineAdded += output.WriteLine;
        using var folder = new TempDirectory();
        string[] versions = ["-tls1_3", "-tls1_2"];

        int known = NewKeys(cluster);
        foreach (string version in versions)
            (await SClient.GetAsync(cluster, "/", version, "-sess_out", folder.File(version))).Succeeded();

        // The key of the tickets is the newest one known by then, or the one before it: it is old now, and opens.
        await KeysAsync(cluster, known + 1);
        foreach (string version in versions)
        {
            // Several, so that both silos have their turn.
            for (int i = 0; i < 4; i++)
                Assert.Contains("Reused, TLSv1", await ResumeAsync(cluster, version, folder.File(version)), StringComparison.Ordinal);
        }

        // With the fourth key after it known, the third is issued under for long.
        await KeysAsync(cluster, known + 5);
        foreach (string version in versions)
            Assert.Contains("New, TLSv1", await ResumeAsync(cluster, version, folder.File(version)), StringComparison.Ordinal);
        cluster.Log.LineAdded -= output.WriteLine;
    }

    private static Task KeysAsync(Cluster cluster, int count) => Eventually.TrueAsync(() => NewKeys(cluster) >= count, $"{count} ticket keys are made");

    private static int NewKeys(Cluster cluster) => cluster.Log.Text().Split(NewKey).Length - 1;

    private static async Task<string> ResumeAsync(Cluster cluster, string version, string session)
        => (await SClient.GetAsync(cluster, "/", version, "-sess_in", session)).Succeeded().Output;
}
