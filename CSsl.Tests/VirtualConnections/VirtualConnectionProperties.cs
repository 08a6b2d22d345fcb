using System.Globalization;
using CSsl.Tests.Silo;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.VirtualConnections;

/// <summary>
/// Random clients at a real gateway with real silos, whose links are lost at random bytes. Whatever happens: what a client gets is a prefix of the true responses,
/// every record authenticates, no key and nonce cover two plaintexts, a POST is done once; and a client that only asks for what can be had again gets all of it.
/// The scripts are the same in every run. CSSL_TEST_SEED begins with another one: with that of a failure, to see it again; with any, to look further.
/// </summary>
public sealed class VirtualConnectionProperties(TestCertificates certificates, ITestOutputHelper output) : IClassFixture<TestCertificates>
{
    private static readonly int First = int.TryParse(Environment.GetEnvironmentVariable("CSSL_TEST_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : 1;

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
        var (lost, takenOver, moved, asleep, refused, resets, keyUpdates) = (0, 0L, 0L, 0L, 0, 0, 0);

        // What happens depends on threads too. A run in which too little did would prove too little, so it goes on: it is over when all of it has been seen.
        var scripts = 0;
        for (; scripts < count || lost <= count / 2 || takenOver <= count / 4 || moved == 0 || asleep == 0 || keyUpdates == 0; scripts++)
        {
            Assert.True(scripts < 4 * count, $"after {scripts} scripts: {Seen()}");
            var seed = First + scripts;
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
                throw new InvalidOperationException($"CSSL_TEST_SEED={seed}: {e.Message}\n{run.Story}", e);
            }

            var counts = run.Counts;
            lost += run.Lost;
            refused += run.Refused;
            resets += run.WasReset ? 1 : 0;
            keyUpdates += run.KeyUpdates;
            takenOver += counts.TakenOver;
            (moved, asleep) = (moved + counts.Moved, asleep + counts.Hibernated);
        }

        output.WriteLine($"{scripts} scripts from {First}: {Seen()}");

        string Seen() => $"{lost} links lost, {takenOver} takeovers, {moved} moves, {asleep} sleeps, {refused} times 502, {resets} resets, {keyUpdates} KeyUpdates";
    }
}
