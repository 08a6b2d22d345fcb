using CSsl.Tests.Silo;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.VirtualConnections;

/// <summary>
/// Random clients at a real gateway with real silos, whose links are lost at random bytes. Whatever happens: what a client gets is a prefix of the true responses,
/// every record authenticates, no key and nonce cover two plaintexts, a POST is done once; and a client that only asks for what can be had again gets all of it.
/// </summary>
public sealed class VirtualConnectionProperties(TestCertificates certificates, ITestOutputHelper output) : IClassFixture<TestCertificates>
{
    [Fact]
    public Task A_download_is_whole_whatever_is_lost() => RunAsync(isSafe: true, count: 40);

    [Fact]
    public Task What_a_client_gets_is_true_whatever_is_lost() => RunAsync(isSafe: false, count: 50);

    private async Task RunAsync(bool isSafe, int count)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var origin = new SampleOrigin();
        silo.Origin.Handler = origin.ServeAsync;

        // A failure names the script; put its seed here to see it again.
        var first = Random.Shared.Next(1, 1_000_000);
        var (lost, takenOver, moved, asleep, refused, resets, keyUpdates) = (0, 0L, 0L, 0L, 0, 0, 0);
        for (var seed = first; seed < first + count; seed++)
        {
            var run = new VirtualConnectionRun(new Script(seed, isSafe), silo, peer);
            try
            {
                await using (run)
                    await run.RunAsync();
                run.CheckNonces();
                Assert.Empty(origin.Faults);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{e.Message}\n{run.Story}", e);
            }

            var counts = run.Counts;
            lost += run.Lost;
            refused += run.Refused;
            resets += run.WasReset ? 1 : 0;
            keyUpdates += run.KeyUpdates;
            takenOver += counts.TakenOver;
            (moved, asleep) = (moved + counts.Moved, asleep + counts.Hibernated);
        }

        output.WriteLine($"{count} scripts from {first}: {lost} links lost, {takenOver} takeovers, {moved} moves, {asleep} sleeps, {refused} times 502, {resets} resets, {keyUpdates} KeyUpdates");

        // A run in which nothing happened would prove nothing.
        Assert.True(lost > count / 2 && takenOver > count / 4, $"only {lost} links were lost, and {takenOver} sessions taken over");
    }
}
