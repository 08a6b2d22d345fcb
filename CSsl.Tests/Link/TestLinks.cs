using System.Collections.Concurrent;
using System.Security.Cryptography;
using CSsl.Link;
using CSsl.Tls.Engines;

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

    /// <summary>What seals links in tests: the fastest that the machine has.</summary>
    public static IRecordEngine Engine { get; } = RecordEngines.Create(EngineChoice.Auto, out _);

    /// <summary>Over pipes, sealed as between processes, or over what the two functions make of the pipes' ends.</summary>
    public static async Task<TestLinks> ConnectAsync(
        LinkOptions? gatewayOptions = null,
        LinkOptions? siloOptions = null,
        TimeProvider? time = null,
        Func<Stream, Stream>? wrapGateway = null,
        Func<Stream, Stream>? wrapSilo = null)
    {
        var (one, other) = InProcessStream.CreatePair();
        return await ConnectAsync(wrapGateway?.Invoke(one) ?? one, wrapSilo?.Invoke(other) ?? other, Engine, gatewayOptions, siloOptions, time);
    }

    /// <param name="streams">Connected.</param>
    /// <param name="engine">Null: not sealed, as within a process.</param>
    public static Task<TestLinks> ConnectAsync((Stream Gateway, Stream Silo) streams, IRecordEngine? engine) => ConnectAsync(streams.Gateway, streams.Silo, engine, null, null, null);

    public static Task<TestLinks> ConnectAsync((Stream Gateway, Stream Silo) streams) => ConnectAsync(streams, Engine);

    private static async Task<TestLinks> ConnectAsync(Stream gatewayStream, Stream siloStream, IRecordEngine? engine, LinkOptions? gatewayOptions, LinkOptions? siloOptions, TimeProvider? time)
    {
        var acceptor = new TestAcceptor();
        var gateway = ConnectAsync(gatewayStream, LinkEnd.Gateway, new LinkIdentity("gateway-1", "test"), null, engine, gatewayOptions, time);
        var silo = ConnectAsync(siloStream, LinkEnd.Silo, new LinkIdentity("silo-1", "test"), acceptor, engine, siloOptions ?? gatewayOptions, time);
        return new TestLinks(await gateway.WaitAsync(Patience), await silo.WaitAsync(Patience), acceptor);
    }

    // As DataLink.ConnectAsync, but a gate learns how to open what its end seals.
    private static async Task<DataLink> ConnectAsync(Stream stream, LinkEnd self, LinkIdentity identity, ILinkAcceptor? acceptor, IRecordEngine? engine, LinkOptions? options, TimeProvider? time)
    {
        options ??= new LinkOptions();
        time ??= TimeProvider.System;
        using var peer = await LinkAuthentication.RunAsync(stream, self, options.ChannelCredit, identity, Key, options.ConnectTimeout, time, default);
        if (stream is GatedStream gate)
            gate.Opening = new LinkCipher(engine!, RecordDirection.Open, peer.Keys.TrafficSecretOf(self));
        return new DataLink(stream, peer, acceptor, options, time, engine, records: null);
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
