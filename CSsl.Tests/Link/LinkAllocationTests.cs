using CSsl.Link;
using CSsl.Tests.Tls.Engines;
using CSsl.Tls.Engines;
using Xunit;

namespace CSsl.Tests.Link;

/// <summary>Runs alone: it counts what the whole process allocates.</summary>
[CollectionDefinition(nameof(AllocationCollection), DisableParallelization = true)]
public class AllocationCollection;

[Collection(nameof(AllocationCollection))]
public class LinkAllocationTests
{
    private const int Frames = 20_000;

    // No object is smaller than 24 bytes: less than a third of that per frame means that none is allocated for a frame.
    private const int Allowed = Frames * 8;

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, EngineChoice.Managed)]
    [InlineData(true, EngineChoice.IpsecMb)]
    public async Task Nothing_is_allocated_per_Records_frame_in_steady_state(bool tcp, EngineChoice? engine)
    {
        var (one, other) = tcp ? await Tcp.PairAsync() : InProcessStream.CreatePair();
        await using var links = await TestLinks.ConnectAsync((one, other), engine is { } choice ? TestEngines.Get(choice) : null);
        var (gateway, silo) = await links.OpenAsync();
        var left = 0;
        using var done = new SemaphoreSlim(0);
        silo.Filler = _ => 1400;
        gateway.Discards = true;
        gateway.Returns = true;

        // One frame at a time, there and back: each is a batch, a write and a read of its own, mostly pending.
        gateway.WhenRecords = _ =>
        {
            if (--left == 0)
                done.Release();
            else
                silo.AskForTurn();
        };

        // The least of several rounds: what else the process does (pools that grow, code that is compiled again) is not the link's.
        var least = long.MaxValue;
        for (var round = 0; round < 6 && least > Allowed; round++)
        {
            left = Frames;
            var before = GC.GetTotalAllocatedBytes(precise: true);
            silo.AskForTurn();
            Assert.True(await done.WaitAsync(TestLinks.Patience));
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.InRange(least, 0, Allowed);
    }
}
