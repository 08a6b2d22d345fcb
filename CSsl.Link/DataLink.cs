using System.Buffers.Binary;
using CSsl.Tls.Engines;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CSsl.Link;

/// <summary>
/// One connection between a gateway and a silo that carries many channels: mutually authenticated, encrypted between processes, multiplexed,
/// credited per channel, served round robin, and its own heartbeat.
/// </summary>
/// <remarks>
/// How it ends: <see cref="Lose"/> notes the reason, once, and closes the transport; the read loop then returns, the sender stops, and when
/// both have, the channels that are left are told. Nobody's code runs on the thread that noticed the loss.
/// </remarks>
public sealed partial class DataLink : IAsyncDisposable
{
    private readonly Stream _transport;
    private readonly LinkOptions _options;
    private readonly TimeProvider _time;
    private readonly bool _opensChannels;
    private readonly ChannelTable _table;
    private readonly LinkCipher? _sealing;
    private readonly LinkCipher? _opening;
    private readonly LinkSender _sender;
    private readonly LinkReceiver _receiver;
    private readonly LinkHeartbeat _heartbeat;
    private readonly TaskCompletionSource<LinkException> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _readEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LinkException? _reason;
    private Task _transportClosed = Task.CompletedTask;
    private int _started;
    private byte[] _load = [];
    private byte[] _peerLoad = [];
    private bool _peerLeaving;

    /// <summary>When the peer is proven; parameters as of <see cref="ConnectAsync"/>.</summary>
    internal DataLink(Stream transport, ProvenPeer peer, ILinkAcceptor? acceptor, LinkOptions options, TimeProvider time, IRecordEngine? engine, IRecordRunner? records)
    {
        (_transport, _options, _time) = (transport, options, time);
        _opensChannels = acceptor is null;
        Peer = peer.Hello.Identity;
        PeerCredit = peer.Hello.Credit;
        if (engine is not null)
        {
            _sealing = new LinkCipher(engine, RecordDirection.Seal, peer.Keys.TrafficSecretOf(_opensChannels ? LinkEnd.Gateway : LinkEnd.Silo));
            _opening = new LinkCipher(engine, RecordDirection.Open, peer.Keys.TrafficSecretOf(peer.Hello.End));
        }

        _table = new ChannelTable(this, peer.Hello.Credit, options.ChannelCredit);
        _sender = new LinkSender(this, transport, options, _sealing, records);
        _receiver = new LinkReceiver(this, transport, _opening, _sender, _table, acceptor, records);
        _heartbeat = new LinkHeartbeat(this, _sender, _receiver, options, time);
    }

    /// <summary>Proves the cluster key to each other, over <paramref name="transport"/>, and returns the link; <see cref="RunAsync"/> starts it.</summary>
    /// <param name="transport">A connected duplex stream, on which a read and a write may be pending at once and closing ends both;
    /// owned by the link from here on, also when this throws.</param>
    /// <param name="self">This end.</param>
    /// <param name="clusterKey">The key that both must know, at least 32 bytes.</param>
    /// <param name="acceptor">The silo's end accepts channels; null at the gateway's end, which opens them.</param>
    /// <param name="options">Sizes and times; must not change afterwards.</param>
    /// <param name="time">The clock of heartbeats.</param>
    /// <param name="engine">Seals the link; null where what it carries does not leave the process.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="records">Seals and opens for channels that do; null when none does.</param>
    /// <exception cref="LinkException">The peer is not of this cluster, or not in time.</exception>
    /// <exception cref="ArgumentException">An option, the identity or the key is out of its limits.</exception>
    /// <exception cref="OperationCanceledException">This end gave up.</exception>
    internal static async Task<DataLink> ConnectAsync(Stream transport, LinkIdentity self, ReadOnlyMemory<byte> clusterKey, ILinkAcceptor? acceptor, LinkOptions options, TimeProvider time,
        IRecordEngine? engine, CancellationToken cancellationToken, IRecordRunner? records = null)
    {
        try
        {
            options.Validate();
            var end = acceptor is null ? LinkEnd.Gateway : LinkEnd.Silo;
            using var peer = await LinkAuthentication.RunAsync(transport, end, options.ChannelCredit, self, clusterKey, options.ConnectTimeout, time, cancellationToken);
            return new DataLink(transport, peer, acceptor, options, time, engine, records);
        }
        catch
        {
            await transport.DisposeAsync();
            throw;
        }
    }

    /// <summary>The other end.</summary>
    public LinkIdentity Peer { get; }

    /// <summary>True until the link is lost.</summary>
    public bool IsAlive => Reason is null;

    /// <summary>True once the peer has said <see cref="FrameKind.Goodbye"/>.</summary>
    public bool PeerLeaving => Volatile.Read(ref _peerLeaving);

    /// <summary>Channels that are open at this end.</summary>
    public int ChannelCount => _table.Count;

    /// <summary>What this end puts in its pings (at most 256 bytes), and what the peer's last ping said.</summary>
    /// <exception cref="ArgumentException">Longer than that.</exception>
    public ReadOnlyMemory<byte> Load
    {
        get => Volatile.Read(ref _load);
        set => Volatile.Write(ref _load, value.Length <= LinkHeartbeat.MaxLoadLength
            ? value.ToArray()
            : throw new ArgumentException($"A load of {value.Length} bytes; the most is {LinkHeartbeat.MaxLoadLength}.", nameof(value)));
    }

    public ReadOnlyMemory<byte> PeerLoad => Volatile.Read(ref _peerLoad);

    /// <summary>From this end to the peer's read loop and back, as the last answered ping measured it; zero before the first.</summary>
    public TimeSpan RoundTrip => _heartbeat.RoundTrip;

    /// <summary>Counters since the start; written by the link's own threads, read by anyone.</summary>
    public LinkCounters Counters
    {
        get
        {
            var sent = _sender.Counters;
            var received = _receiver.Counters;
            return sent with { Receives = received.Receives, FramesReceived = received.FramesReceived, BytesReceived = received.BytesReceived };
        }
    }

    /// <summary>Where the link tells of channels that it had to close, and why.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>Why the link was lost; null while it is alive.</summary>
    internal LinkException? Reason => Volatile.Read(ref _reason);

    /// <summary>True while the read loop waits for the peer.</summary>
    internal bool IsReading => _receiver.IsReading;

    /// <summary>Bytes of records per channel that the peer granted when it connected.</summary>
    internal int PeerCredit { get; }

    /// <summary>Reads frames and keeps the heartbeat until the link ends; then every channel has had its OnLinkLost. Returns the reason; does not throw.</summary>
    /// <param name="cancellationToken">Ends the link at once; <see cref="DisposeAsync"/> lets queued frames leave first.</param>
    public async Task<LinkException> RunAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
            return await _ended.Task;
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await using var registration = cancellationToken.UnsafeRegister(static link => ((DataLink)link!).Lose(ClosedHere()), this);
        _heartbeat.Start();
        Lose(await _receiver.RunAsync());
        return await EndAsync();
    }

    /// <summary>Gateway's end: opens a channel, and sends the frame that opens it.</summary>
    /// <param name="channel">A new one.</param>
    /// <param name="kind">A kind that opens a channel.</param>
    /// <param name="payload">Copied.</param>
    /// <param name="hurried">False: something follows at once (a frame, a turn, or <see cref="Flush"/>), and they leave together.</param>
    /// <exception cref="LinkException">The link is gone; the channel is as it was, and is told nothing.</exception>
    /// <exception cref="InvalidOperationException">At the silo's end, or the channel was opened before.</exception>
    public void Open(LinkChannel channel, FrameKind kind, ReadOnlySpan<byte> payload, bool hurried = true)
    {
        if (!_opensChannels)
            throw new InvalidOperationException("Only the gateway's end opens channels.");
        if (!FrameRules.Opens(kind))
            throw new ArgumentException($"{kind} does not open a channel.", nameof(kind));
        CheckLength(payload);
        _sender.Open(channel, _table, kind, payload, hurried);
    }

    /// <summary>Sends what was queued without hurry.</summary>
    public void Flush() => _sender.Flush();

    /// <summary>Silo's end: no new channels, please.</summary>
    public void SayGoodbye()
    {
        if (_opensChannels)
            throw new InvalidOperationException("Only the silo's end says goodbye.");
        _sender.Send(FrameKind.Goodbye, 0, []);
    }

    /// <summary>Lets the frames that are queued leave (records that wait for a turn don't), for at most <see cref="LinkOptions.PeerTimeout"/>,
    /// and closes the transport. When it is done, every channel has had its OnLinkLost.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _sender.DrainAsync().WaitAsync(_options.PeerTimeout, _time);
        }
        catch (TimeoutException)
        {
            LogUndelivered(Logger, Peer.Name);
        }

        Lose(ClosedHere());
        if (Interlocked.Exchange(ref _started, 1) == 0)
            await EndAsync();
        await _ended.Task;
    }

    /// <summary>For logs.</summary>
    public override string ToString() => $"link with {Peer.Name}";

    // When the read loop has ended, or will never start.
    private async Task<LinkException> EndAsync()
    {
        _readEnded.SetResult();
        _heartbeat.Dispose();
        await _sender.Ended;
        _sealing?.Dispose();
        _opening?.Dispose();
        var reason = Reason!;
        foreach (var channel in _table.Close())
        {
            if (_table.Remove(channel))
                channel.Lose(reason);
        }

        // Stored before the sender was closed, and the sender has ended.
        await _transportClosed;
        _ended.TrySetResult(reason);
        return reason;
    }

    private async Task CloseTransportAsync(bool readToTheEnd)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (readToTheEnd)
            await _readEnded.Task.WaitAsync(_options.PeerTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await _transport.DisposeAsync();
        }
        catch (Exception e)
        {
            LogNotClosed(Logger, Peer.Name, e);
        }
    }

    private static LinkException ClosedHere() => new("This end closed the link.");

    internal void RequestTurn(LinkChannel channel) => _sender.RequestTurn(channel);

    internal void Send(LinkChannel channel, FrameKind kind, ReadOnlySpan<byte> payload, bool hurried)
    {
        var self = _opensChannels ? LinkEnd.Gateway : LinkEnd.Silo;
        if ((FrameRules.SentBy(kind) & self) == 0 || FrameRules.IsOfLink(kind) || FrameRules.Opens(kind) || kind is FrameKind.Records or FrameKind.Window)
            throw new ArgumentException($"{kind} is not for this end to send on a channel.", nameof(kind));
        CheckLength(payload);
        _sender.Send(channel, kind, payload, hurried);
    }

    internal void ReturnCredit(LinkChannel channel, int bytes)
    {
        var window = channel.Received.Return(bytes);
        if (window == 0)
            return;
        Span<byte> payload = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)window);
        _sender.Send(channel, FrameKind.Window, payload);
    }

    internal void Release(LinkChannel channel)
    {
        _sender.Release(channel);
        _table.Remove(channel);
    }

    /// <summary>A frame of channel 0; its kind is one that the peer may send there.</summary>
    /// <exception cref="LinkException">It breaks the rules.</exception>
    internal void OnLinkFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Ping when payload.Length is >= sizeof(long) and <= sizeof(long) + LinkHeartbeat.MaxLoadLength:
                _sender.Send(FrameKind.Pong, 0, payload[..sizeof(long)]);
                var load = payload[sizeof(long)..];
                if (!load.SequenceEqual(_peerLoad))
                    Volatile.Write(ref _peerLoad, load.ToArray());
                break;
            case FrameKind.Pong:
                _heartbeat.OnPong(payload);
                break;
            case FrameKind.Goodbye when payload.IsEmpty:
                Volatile.Write(ref _peerLeaving, true);
                break;
            default:
                throw new LinkException($"The peer sent a frame of kind {kind} and {payload.Length} bytes, which is none.");
        }
    }

    /// <summary>One channel broke the rules, here or at the peer: it is closed at both ends, and the link goes on. From any thread.</summary>
    /// <returns>False: it was closed already.</returns>
    internal bool Fault(LinkChannel channel, Exception cause)
    {
        if (!_table.Remove(channel))
            return false;
        LogFault(Logger, channel.Id, Peer.Name, cause);
        _sender.Send(channel, FrameKind.Close, [(byte)CloseReason.Aborted]);
        channel.Lose(new LinkException($"Channel {channel.Id} was closed: {cause.Message}", cause));
        return true;
    }

    /// <summary>The link is over. The first reason stays, and is returned. From any thread; calls nobody on it.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="readToTheEnd">Only sending has failed: a peer that closed may have sent its last frames before, and they are still to be
    /// delivered. The transport is closed when they are, at the latest after <see cref="LinkOptions.PeerTimeout"/>.</param>
    internal LinkException Lose(LinkException reason, bool readToTheEnd = false)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is { } earlier)
            return earlier;
        _transportClosed = CloseTransportAsync(readToTheEnd);
        _sender.Close();
        return reason;
    }

    /// <summary>OnLinkLost, guarded: one channel's error is not another's.</summary>
    internal void Tell(LinkChannel channel, LinkException reason)
    {
        try
        {
            channel.OnLinkLost(reason);
        }
        catch (Exception e)
        {
            LogNotTold(Logger, channel.Id, Peer.Name, e);
        }
    }

    internal void LogRefusal(uint channel, Exception cause) => LogRefusal(Logger, channel, Peer.Name, cause);

    private static void CheckLength(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > LinkChannel.MaxPayload)
            throw new ArgumentException($"A payload of {payload.Length} bytes; the most is {LinkChannel.MaxPayload}.", nameof(payload));
    }

    [LoggerMessage(EventId = 100, Level = LogLevel.Error, Message = "Channel {Channel} on the link with {Peer} was closed: it broke the rules")]
    private static partial void LogFault(ILogger logger, uint channel, string peer, Exception cause);

    [LoggerMessage(EventId = 101, Level = LogLevel.Error, Message = "Channel {Channel} on the link with {Peer} was refused: accepting it failed")]
    private static partial void LogRefusal(ILogger logger, uint channel, string peer, Exception cause);

    [LoggerMessage(EventId = 102, Level = LogLevel.Error, Message = "Channel {Channel} on the link with {Peer} failed when it was told that it is lost")]
    private static partial void LogNotTold(ILogger logger, uint channel, string peer, Exception cause);

    [LoggerMessage(EventId = 103, Level = LogLevel.Warning, Message = "The link with {Peer} was closed before all its frames had left")]
    private static partial void LogUndelivered(ILogger logger, string peer);

    [LoggerMessage(EventId = 104, Level = LogLevel.Warning, Message = "The transport of the link with {Peer} failed to close")]
    private static partial void LogNotClosed(ILogger logger, string peer, Exception cause);
}

/// <summary>What a link has done: "one system call carries records of many clients" is <c>RecordFramesSent / Sends</c>.</summary>
/// <param name="Sends">Writes to the transport.</param>
/// <param name="Receives">Reads from the transport that brought bytes.</param>
/// <param name="FramesSent">Frames of all kinds, after authentication.</param>
/// <param name="FramesReceived">Frames of all kinds, late ones included.</param>
/// <param name="RecordFramesSent">Frames of the kind Records.</param>
/// <param name="BytesSent">Bytes on the wire, after authentication.</param>
/// <param name="BytesReceived">Bytes on the wire, after authentication.</param>
public readonly record struct LinkCounters(long Sends, long Receives, long FramesSent, long FramesReceived, long RecordFramesSent, long BytesSent, long BytesReceived);

/// <summary>The link can't be made, or ended, or a payload is not what its kind says: why.</summary>
public sealed class LinkException(string message, Exception? inner = null) : Exception(message, inner);
