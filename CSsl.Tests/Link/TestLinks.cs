using System.Collections.Concurrent;
using System.Security.Cryptography;
using CSsl.Link;

namespace CSsl.Tests.Link;

/// <summary>Two ends of a link in one process, connected, authenticated and running.</summary>
internal sealed class TestLinks : IAsyncDisposable
{
    /// <summary>Any wait in these tests that takes longer is a failure.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _stop = new();

    private TestLinks(DataLink gateway, DataLink silo, TestAcceptor acceptor)
    {
        (Gateway, Silo, Acceptor) = (gateway, silo, acceptor);
        GatewayEnd = gateway.RunAsync(_stop.Token);
        SiloEnd = silo.RunAsync(_stop.Token);
    }

    public static byte[] Key { get; } = RandomNumberGenerator.GetBytes(32);

    public DataLink Gateway { get; }

    public DataLink Silo { get; }

    public TestAcceptor Acceptor { get; }

    public Task<LinkException> GatewayEnd { get; }

    public Task<LinkException> SiloEnd { get; }

    /// <summary>Over the in-process transport, or what the two functions make of its ends.</summary>
    public static async Task<TestLinks> ConnectAsync(
        LinkOptions? gatewayOptions = null,
        LinkOptions? siloOptions = null,
        TimeProvider? time = null,
        Func<Stream, Stream>? wrapGateway = null,
        Func<Stream, Stream>? wrapSilo = null)
    {
        var (one, other) = InProcessStream.CreatePair();
        return await ConnectAsync(wrapGateway?.Invoke(one) ?? one, wrapSilo?.Invoke(other) ?? other, gatewayOptions, siloOptions, time);
    }

    public static Task<TestLinks> ConnectAsync((Stream Gateway, Stream Silo) streams) => ConnectAsync(streams.Gateway, streams.Silo);

    public static async Task<TestLinks> ConnectAsync(Stream gatewayStream, Stream siloStream, LinkOptions? gatewayOptions = null, LinkOptions? siloOptions = null, TimeProvider? time = null)
    {
        var acceptor = new TestAcceptor();
        var gateway = DataLink.ConnectAsync(gatewayStream, new LinkIdentity("gateway-1", "test"), Key, null, gatewayOptions ?? new LinkOptions(), time ?? TimeProvider.System, default);
        var silo = DataLink.ConnectAsync(siloStream, new LinkIdentity("silo-1", "test"), Key, acceptor, siloOptions ?? gatewayOptions ?? new LinkOptions(), time ?? TimeProvider.System, default);
        return new TestLinks(await gateway.WaitAsync(Patience), await silo.WaitAsync(Patience), acceptor);
    }

    /// <summary>Opens a channel at the gateway and waits for the silo's end of it.</summary>
    public async Task<(TestChannel Gateway, TestChannel Silo)> OpenAsync(TestChannel? channel = null)
    {
        channel ??= new TestChannel();
        Gateway.Open(channel, FrameKind.Attach, [1, 2, 3]);
        return (channel, await Acceptor.OpenedAsync(channel.Id));
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Silo.DisposeAsync();
        await GatewayEnd.WaitAsync(Patience);
        await SiloEnd.WaitAsync(Patience);
        _stop.Dispose();
    }
}

/// <summary>Accepts every channel as a <see cref="TestChannel"/>, unless told otherwise.</summary>
internal sealed class TestAcceptor : ILinkAcceptor
{
    private readonly ConcurrentDictionary<uint, TaskCompletionSource<TestChannel>> _opened = new();

    public Func<FrameKind, TestChannel?> Make { get; set; } = _ => new TestChannel();

    /// <summary>How often it was asked.</summary>
    public int Asked { get; private set; }

    public LinkChannel? Accept(DataLink link, FrameKind kind)
    {
        Asked++;
        var channel = Make(kind);
        if (channel is not null)
            channel.FirstFrame = () => Waiter(channel.Id).TrySetResult(channel);
        return channel;
    }

    public Task<TestChannel> OpenedAsync(uint id) => Waiter(id).Task.WaitAsync(TestLinks.Patience);

    private TaskCompletionSource<TestChannel> Waiter(uint id) => _opened.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
