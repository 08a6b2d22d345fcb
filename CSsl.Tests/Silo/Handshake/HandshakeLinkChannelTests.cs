using System.Net;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Silo.Handshake;
using CSsl.Tests.Link;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace CSsl.Tests.Silo.Handshake;

public sealed class HandshakeLinkChannelTests
{
    [Theory]
    [InlineData(+3600)]
    [InlineData(-3600)]
    public async Task A_step_of_the_wall_clock_changes_nothing_of_the_time_that_is_left(int seconds)
    {
        using var meters = new TestMeters();
        var (time, lane) = (new SteppedTimeProvider(), new NotingLane());
        var grains = FakeGrains.Of(static _ => throw new NotSupportedException());
        using var sessions = new ResumptionStore(grains, Options.Create(new ResumptionOptions()), new ResumptionMetrics(meters), time, NullLogger<ResumptionStore>.Instance);
        var lanes = new HandshakeLanes(grains, Options.Create(new SiloOptions { Name = "silo-1", Lanes = 1 }), new HandshakeMetrics(meters));
        lanes.Enter("silo-1/0", lane);
        var acceptor = new Acceptor(() => new HandshakeLinkChannel(lanes, sessions, TimeSpan.FromSeconds(10), time, NullLogger<HandshakeLinkChannel>.Instance));
        var (one, other) = InProcessStream.CreatePair();
        var connecting = DataLink.ConnectAsync(one, new LinkIdentity("gateway-1", "test"), TestLinks.Key, null, new LinkOptions(), TimeProvider.System, engine: null, default);
        await using var silo = await DataLink.ConnectAsync(other, new LinkIdentity("silo-1", "test"), TestLinks.Key, acceptor, new LinkOptions(), TimeProvider.System, engine: null, default);
        await using var gateway = await connecting;
        Task[] running = [gateway.RunAsync(default), silo.RunAsync(default)];
        var client = new TestChannel();

        gateway.Open(client, FrameKind.HandshakeStart, new HandshakeStart(1, new IPEndPoint(IPAddress.Loopback, 5), 8000).Encode());
        client.SendFrame(FrameKind.Handshake, 1);
        await client.NextAsync(FrameKind.Flight);
        time.Step = TimeSpan.FromSeconds(seconds);
        time.Advance(TimeSpan.FromSeconds(3));
        client.SendFrame(FrameKind.Handshake, 2);
        await client.NextAsync(FrameKind.Flight);

        Assert.Equal([TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(5)], lane.TimesLeft);
        await gateway.DisposeAsync();
        await Task.WhenAll(running).WaitAsync(TestSilo.Patience);
    }

    private sealed class Acceptor(Func<LinkChannel> make) : ILinkAcceptor
    {
        public LinkChannel? Accept(DataLink link, FrameKind kind) => make();
    }

    private sealed class NotingLane : IHandshakeLane
    {
        public List<TimeSpan> TimesLeft { get; } = [];

        public void Post(Action<object?> turn, object state) => turn(state);

        public HandshakeAnswer Advance(in HandshakeRequest request)
        {
            TimesLeft.Add(request.TimeLeft);
            return new HandshakeAnswer { Consumed = request.Records.Length };
        }

        public HandshakeAnswer Resume(Guid handshakeId, ReadOnlyMemory<byte> session) => throw new NotSupportedException();

        public void Abandon(Guid handshakeId)
        {
        }
    }
}
