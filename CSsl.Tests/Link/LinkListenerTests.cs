using System.Security.Cryptography;
using CSsl.Link;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Link;

public class LinkListenerTests
{
    public static TheoryData<string> Endpoints => new("127.0.0.1:0", "[::1]:0", $"inproc:{nameof(LinkListenerTests)}");

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task Gateway_reaches_the_silo_at_the_endpoint_that_its_listener_tells(string endpoint)
    {
        var acceptor = new TestAcceptor();
        await using var listener = LinkListener.Start(Unique(endpoint), acceptor, Setup("silo-1"), (link, stop) => link.RunAsync(stop));
        var gateway = await LinkConnector.ConnectAsync(listener.Endpoint, Setup("gateway-1"), default);
        await using (gateway)
        {
            var run = gateway.RunAsync(default);
            var channel = new TestChannel();
            gateway.Open(channel, FrameKind.Attach, [1]);
            var silo = await acceptor.OpenedAsync(channel.Id);
            silo.SendRecords([1, 2, 3]);

            Assert.Equal([1, 2, 3], await channel.NextAsync(FrameKind.Records));
            Assert.Equal("silo-1", gateway.Peer.Name);
            Assert.True(gateway.IsAlive, $"{run.Status}");
        }
    }

    [Fact]
    public async Task Dispose_ends_the_links_and_frees_the_endpoint()
    {
        var endpoint = Unique("inproc:");
        var listener = LinkListener.Start(endpoint, new TestAcceptor(), Setup("silo-1"), (link, stop) => link.RunAsync(stop));
        var gateway = await LinkConnector.ConnectAsync(endpoint, Setup("gateway-1"), default);
        var run = gateway.RunAsync(default);

        await listener.DisposeAsync();
        await listener.DisposeAsync();

        await run.WaitAsync(TestLinks.Patience);
        Assert.Contains("nobody listens", (await Assert.ThrowsAsync<LinkException>(() => LinkConnector.ConnectAsync(endpoint, Setup("gateway-1"), default))).Message, StringComparison.Ordinal);
        await using var again = LinkListener.Start(endpoint, new TestAcceptor(), Setup("silo-1"), (link, stop) => link.RunAsync(stop));
        Assert.Equal(endpoint, again.Endpoint);
    }

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("inproc:")]
    public async Task Endpoint_that_is_in_use_is_refused(string endpoint)
    {
        await using var listener = LinkListener.Start(Unique(endpoint), new TestAcceptor(), Setup("silo-1"), (link, stop) => link.RunAsync(stop));

        var refused = Assert.Throws<LinkException>(() => LinkListener.Start(listener.Endpoint, new TestAcceptor(), Setup("silo-2"), (link, stop) => link.RunAsync(stop)));

        Assert.StartsWith($"Can't listen on {listener.Endpoint}: ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7000")]
    [InlineData(":7000")]
    [InlineData("127.0.0.1:seven")]
    [InlineData("127.0.0.1:70000")]
    public async Task Endpoint_that_is_none_is_named(string endpoint)
    {
        Assert.Contains($"'{endpoint}'", Assert.Throws<LinkException>(() => LinkListener.Start(endpoint, new TestAcceptor(), Setup("silo-1"), (_, _) => Task.CompletedTask)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<LinkException>(() => LinkConnector.ConnectAsync(endpoint, Setup("gateway-1"), default));
    }

    [Fact]
    public async Task Connecting_where_nobody_listens_says_where()
    {
        var endpoint = $"127.0.0.1:{Ports.Free(1)[0]}";

        var none = await Assert.ThrowsAsync<LinkException>(() => LinkConnector.ConnectAsync(endpoint, Setup("gateway-1"), default));

        Assert.StartsWith($"No connection to {endpoint}: ", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Peer_without_the_key_gets_no_link_and_others_still_do()
    {
        var links = 0;
        await using var listener = LinkListener.Start("127.0.0.1:0", new TestAcceptor(), Setup("silo-1"), (link, stop) =>
        {
            links++;
            return link.RunAsync(stop);
        });
        var stranger = Setup("gateway-0") with { ClusterKey = RandomNumberGenerator.GetBytes(32) };

        await Assert.ThrowsAsync<LinkException>(() => LinkConnector.ConnectAsync(listener.Endpoint, stranger, default));
        await using var gateway = await LinkConnector.ConnectAsync(listener.Endpoint, Setup("gateway-1"), default);

        await Eventually.TrueAsync(() => links == 1 && listener.UnprovenCount == 0, "the one link is there");
    }

    [Fact]
    public async Task Silent_connections_are_bounded_and_do_not_keep_a_gateway_out()
    {
        // The clock stands still: nobody goes because of a timeout.
        var setup = Setup("silo-1") with { Time = new FakeTimeProvider() };
        await using var listener = LinkListener.Start(Unique("inproc:"), new TestAcceptor(), setup, (link, stop) => link.RunAsync(stop));
        var silent = new List<Stream>();
        for (var i = 0; i < UnprovenPeers.Most + 20; i++)
            silent.Add(await LinkTransport.For(listener.Endpoint).ConnectAsync(listener.Endpoint, default));

        await using var gateway = await LinkConnector.ConnectAsync(listener.Endpoint, Setup("gateway-1"), default);

        Assert.InRange(listener.UnprovenCount, 1, UnprovenPeers.Most);

        // The oldest were sent away: a hello, and then the end.
        var hello = new byte[FrameHeader.Size + Hello.MaxLength];
        var got = await silent[0].ReadAtLeastAsync(hello, hello.Length, throwOnEndOfStream: false).AsTask().WaitAsync(TestLinks.Patience);
        Assert.InRange(got, FrameHeader.Size, hello.Length - 1);
    }

    [Fact]
    public async Task No_more_connections_are_accepted_than_there_are_places_and_the_next_when_one_has_left()
    {
        await using var listener = LinkListener.Start("127.0.0.1:0", new TestAcceptor(), Setup("silo-1"), (link, stop) => link.RunAsync(stop), capacity: 1);
        var first = await LinkConnector.ConnectAsync(listener.Endpoint, Setup("gateway-1"), default);
        _ = first.RunAsync(default);
        var refused = await Assert.ThrowsAsync<LinkException>(() => LinkConnector.ConnectAsync(listener.Endpoint, Setup("gateway-2"), default));
        Assert.Contains("within 2 s", refused.Message, StringComparison.Ordinal);

        await first.DisposeAsync();
        await using var second = await LinkConnector.ConnectAsync(listener.Endpoint, Setup("gateway-3"), default);
        Assert.Equal("silo-1", second.Peer.Name);
    }

    [Fact]
    public async Task Connecting_gives_up_after_the_timeout_when_the_silo_accepts_and_says_nothing()
    {
        var time = new WatchedTimeProvider();
        var endpoint = Unique("inproc:");
        await using var listener = LinkTransport.For(endpoint).Listen(endpoint);
        var connecting = LinkConnector.ConnectAsync(endpoint, Setup("gateway-1") with { Time = time }, default);
        Assert.NotNull(await listener.AcceptAsync());
        await time.TimerArmedAsync();

        time.Advance(new LinkOptions().ConnectTimeout);

        var late = await Assert.ThrowsAsync<LinkException>(() => connecting.WaitAsync(TestLinks.Patience));
        Assert.Contains("within 2 s", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_their_limits_are_named()
    {
        foreach (var (invalidate, name) in new (Action<LinkOptions>, string)[]
        {
            (o => o.ChannelCredit = 0, nameof(LinkOptions.ChannelCredit)),
            (o => o.TurnBytes = LinkChannel.MinimumRoom - 1, nameof(LinkOptions.TurnBytes)),
            (o => o.TurnBytes = LinkChannel.MaxPayload + 1, nameof(LinkOptions.TurnBytes)),
            (o => o.BatchBytes = 0, nameof(LinkOptions.BatchBytes)),
            (o => o.PingInterval = TimeSpan.Zero, nameof(LinkOptions.PingInterval)),
            (o => o.PeerTimeout = o.PingInterval, nameof(LinkOptions.PeerTimeout)),
            (o => o.ConnectTimeout = TimeSpan.Zero, nameof(LinkOptions.ConnectTimeout)),
        })
        {
            var options = new LinkOptions();
            options.Validate();
            invalidate(options);
            Assert.StartsWith($"Link:{name} ", Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
        }
    }

    private static LinkSetup Setup(string name) => new(new LinkIdentity(name, "test"), TestLinks.Key, new LinkOptions(), TimeProvider.System, NullLogger.Instance, TestLinks.Engine);

    private static string Unique(string endpoint) => endpoint.StartsWith("inproc:", StringComparison.Ordinal) ? $"{endpoint}{Guid.NewGuid()}" : endpoint;
}
