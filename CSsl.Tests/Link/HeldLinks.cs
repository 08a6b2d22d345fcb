using CSsl.Link;
using Microsoft.Extensions.Time.Testing;

namespace CSsl.Tests.Link;

/// <summary>A link whose silo's writes a test holds back. Its clock stands still: no pings but the first.</summary>
internal sealed class HeldLinks : IAsyncDisposable
{
    private HeldLinks(TestLinks links, GatedStream gate) => (Links, Gate) = (links, gate);

    public TestLinks Links { get; }

    /// <summary>The silo's transport.</summary>
    public GatedStream Gate { get; }

    /// <summary>The gateway's ends of the channels, by number.</summary>
    public Dictionary<uint, TestChannel> Gateways { get; } = [];

    public static async Task<HeldLinks> StartAsync(LinkOptions? options = null)
    {
        GatedStream? gate = null;
        var links = await TestLinks.ConnectAsync(options, time: new FakeTimeProvider(), wrapSilo: s => gate = new GatedStream(s));
        return new HeldLinks(links, gate!);
    }

    /// <summary>Opens channels; returns the silo's ends.</summary>
    public async Task<List<TestChannel>> OpenAsync(int count)
    {
        var silos = new List<TestChannel>();
        for (var i = 0; i < count; i++)
        {
            var (gateway, silo) = await Links.OpenAsync();
            Gateways[gateway.Id] = gateway;
            silos.Add(silo);
        }

        return silos;
    }

    /// <summary>Holds writes back, and makes one pending with a turn of <paramref name="channel"/>: from here on, others only queue.</summary>
    public async Task HoldAsync(TestChannel channel)
    {
        Gate.Hold();
        if (channel.Filler is null)
            channel.SendRecords([0]);
        else
            channel.AskForTurn();
        while ((await Gate.NextWriteAsync()).All(f => f.Channel == 0))
            Gate.ReleaseOne();
    }

    public async ValueTask DisposeAsync()
    {
        Gate.Open();
        await Links.DisposeAsync();
    }
}
