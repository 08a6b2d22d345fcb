using System.Threading.Channels;
using CSsl.Grains.Cluster;
using CSsl.Link;
using CSsl.Tests.Link;
using CSsl.Tests.Support;

namespace CSsl.Tests.Gateway;

/// <summary>The far end of a gateway's link: a silo that does what the test says.</summary>
internal sealed class ScriptedSilo : ILinkAcceptor, IAsyncDisposable
{
    private readonly Channel<TestChannel> _channels = Channel.CreateUnbounded<TestChannel>();
    private readonly LinkListener _listener;
    private readonly TaskCompletionSource _linked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DataLink? _link;

    public ScriptedSilo(string name, SiloRoles roles, LinkSetup gateway)
    {
        _listener = LinkListener.Start($"inproc:{name}-{Guid.NewGuid():N}", this, gateway with { Self = new LinkIdentity(name, gateway.Self.ClusterId) }, RunAsync);
        Report = Reports.Silo(name, roles, incarnation: Guid.NewGuid(), linkEndpoint: _listener.Endpoint);
    }

    /// <summary>As it stands in the cluster view.</summary>
    public SiloReport Report { get; }

    /// <summary>False: every channel is refused.</summary>
    public bool Accepts { get; set; } = true;

    /// <summary>False: the credit of received records is returned by the test.</summary>
    public bool ReturnsCredit { get; set; } = true;

    /// <summary>Completes once a gateway has made its link.</summary>
    public Task Linked => _linked.Task.WaitAsync(TestLinks.Patience);

    /// <summary>The next channel that a gateway opens.</summary>
    public async Task<TestChannel> NextAsync() => await _channels.Reader.ReadAsync().AsTask().WaitAsync(TestLinks.Patience);

    public void SayGoodbye() => _link!.SayGoodbye();

    /// <summary>Says goodbye, and waits until the gateway has heard it: an answer to <paramref name="client"/>, which must come here, has overtaken nothing.</summary>
    public async Task SayGoodbyeAsync(TestClient client)
    {
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await this.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        _link!.SayGoodbye();
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));
        await client.Connection.ReadAsync(Walk.ServerHello.Length);
    }

    /// <summary>The link breaks; the silo lives and listens.</summary>
    public void BreakLink() => _ = _link!.DisposeAsync().AsTask();

    public LinkChannel? Accept(DataLink link, FrameKind kind)
    {
        if (!Accepts)
            return null;

        var channel = new TestChannel { Returns = ReturnsCredit };
        _channels.Writer.TryWrite(channel);
        return channel;
    }

    /// <summary>The silo dies.</summary>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task RunAsync(DataLink link, CancellationToken cancellationToken)
    {
        _link = link;
        _linked.TrySetResult();
        await link.RunAsync(cancellationToken);
    }
}
