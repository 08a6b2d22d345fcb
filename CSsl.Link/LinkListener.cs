using CSsl.Tls.Engines;
using Microsoft.Extensions.Logging;

namespace CSsl.Link;

/// <summary>What both ends of every link of a process have in common.</summary>
/// <param name="Self">This process.</param>
/// <param name="ClusterKey">The key that both ends must know, at least 32 bytes.</param>
/// <param name="Options">Sizes and times.</param>
/// <param name="Time">The clock of heartbeats and timeouts.</param>
/// <param name="Logger">Where links tell of refused peers and closed channels.</param>
/// <param name="Engine">Seals what leaves the process.</param>
/// <param name="Records">Seals and opens for the channels of a silo; null at a gateway, which does neither.</param>
public sealed record LinkSetup(LinkIdentity Self, ReadOnlyMemory<byte> ClusterKey, LinkOptions Options, TimeProvider Time, ILogger Logger, IRecordEngine Engine, IRecordRunner? Records = null)
{
    /// <summary>What seals a link on a transport; null where nothing is sealed.</summary>
    internal IRecordEngine? EngineFor(ILinkTransport transport) => transport.IsWithinProcess ? null : Engine;
}

/// <summary>The silo's listener: accepts connections, authenticates them, and hands over links.</summary>
public sealed partial class LinkListener : IAsyncDisposable
{
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(100);

    private readonly ILinkTransportListener _listener;
    private readonly IRecordEngine? _engine;
    private readonly ILinkAcceptor _acceptor;
    private readonly LinkSetup _setup;
    private readonly Func<DataLink, CancellationToken, Task> _onLink;
    private readonly UnprovenPeers _unproven;
    private readonly Places _places;
    private readonly LineRate _fullLines;
    private readonly LineRate _failureLines;
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;

    // The accept loop, and every connection that it has handed on.
    private int _running = 1;

    private LinkListener(ILinkTransportListener listener, IRecordEngine? engine, ILinkAcceptor acceptor, LinkSetup setup, Func<DataLink, CancellationToken, Task> onLink, int capacity)
    {
        (_fullLines, _failureLines) = (new LineRate(setup.Time), new LineRate(setup.Time));

        // Who has not proved the key never has more than half of the places.
        (_places, _unproven) = (new Places(capacity), new UnprovenPeers(Math.Clamp(capacity / 2, 1, UnprovenPeers.Most)));
        (_listener, _engine, _acceptor, _setup, _onLink) = (listener, engine, acceptor, setup, onLink);
        _accepting = AcceptAsync();
    }

    /// <summary>Binds and starts to accept.</summary>
    /// <param name="endpoint">"host:port" (port 0: any free one) or "inproc:NAME".</param>
    /// <param name="acceptor">Accepts the channels of every link.</param>
    /// <param name="setup">This process.</param>
    /// <param name="onLink">Has each authenticated link and runs it (<see cref="DataLink.RunAsync"/>); when it returns, the link is disposed.
    /// The token is cancelled when the listener is disposed.</param>
    /// <param name="capacity">Connections at once, whether they have proved the key or not; more wait to be accepted.</param>
    /// <exception cref="LinkException">Can't listen there.</exception>
    public static LinkListener Start(string endpoint, ILinkAcceptor acceptor, LinkSetup setup, Func<DataLink, CancellationToken, Task> onLink, int capacity = int.MaxValue)
    {
        setup.Options.Validate();
        var transport = LinkTransport.For(endpoint);
        return new LinkListener(transport.Listen(endpoint), setup.EngineFor(transport), acceptor, setup, onLink, capacity);
    }

    /// <summary>Where it listens, with the real port.</summary>
    public string Endpoint => _listener.Endpoint;

    /// <summary>Connections that have not proved the cluster key yet.</summary>
    public int UnprovenCount => _unproven.Count;

    /// <summary>Accepts nothing more, ends every link that it handed over, and waits until all are done.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
        {
            await _allEnded.Task;
            return;
        }

        await _closing.CancelAsync();
        await _listener.DisposeAsync();
        await _accepting;
        await _allEnded.Task;
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                if (_places.WhenFreeAsync() is { IsCompleted: false } waiting)
                {
                    if (_fullLines.IsDue(out _))
                        LogFull(_setup.Logger, Endpoint, _places.Capacity);
                    await waiting.WaitAsync(_closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    continue;
                }

                if (await _listener.AcceptAsync() is not var (stream, from))
                    break;
                _places.Take();
                Interlocked.Increment(ref _running);
                _ = ServeAsync(stream, from);
            }
            catch (IOException e)
            {
                // Out of file handles, most likely: it passes when something is closed.
                if (_failureLines.IsDue(out _))
                    LogAcceptFailed(_setup.Logger, Endpoint, e);
                await Task.Delay(PauseAfterError, _setup.Time, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        Leave();
    }

    private async Task ServeAsync(Stream stream, string from)
    {
        try
        {
            await using var link = await AuthenticateAsync(stream);
            link.Logger = _setup.Logger;
            await _onLink(link, _closing.Token);
        }
        catch (LinkException e)
        {
            LogRefused(_setup.Logger, from, e.Message);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            LogClosing(_setup.Logger, from);
        }
        catch (OperationCanceledException)
        {
            LogRefused(_setup.Logger, from, "Too many connections are waiting to prove the cluster key; this one was the oldest.");
        }
        catch (Exception e)
        {
            LogLinkFailed(_setup.Logger, from, e);
        }
        finally
        {
            _places.Leave();
            Leave();
        }
    }

    private async Task<DataLink> AuthenticateAsync(Stream stream)
    {
        using var entry = _unproven.Add(_closing.Token);
        return await DataLink.ConnectAsync(stream, _setup.Self, _setup.ClusterKey, _acceptor, _setup.Options, _setup.Time, _engine, entry.Token, _setup.Records);
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _running) == 0)
            _allEnded.TrySetResult();
    }

    [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "A connection from {From} is no link: {Reason}")]
    private static partial void LogRefused(ILogger logger, string from, string reason);

    [LoggerMessage(EventId = 111, Level = LogLevel.Warning, Message = "Accepting links on {Endpoint} failed; trying again")]
    private static partial void LogAcceptFailed(ILogger logger, string endpoint, Exception cause);

    [LoggerMessage(EventId = 114, Level = LogLevel.Warning, Message = "All {Capacity} places for connections on {Endpoint} are taken: the next wait to be accepted")]
    private static partial void LogFull(ILogger logger, string endpoint, int capacity);

    [LoggerMessage(EventId = 112, Level = LogLevel.Error, Message = "The link from {From} failed")]
    private static partial void LogLinkFailed(ILogger logger, string from, Exception cause);

    [LoggerMessage(EventId = 113, Level = LogLevel.Debug, Message = "The link from {From} ends with the listener")]
    private static partial void LogClosing(ILogger logger, string from);
}

/// <summary>Makes the silo's end of a channel that a gateway opens.</summary>
public interface ILinkAcceptor
{
    /// <summary>Called on the read loop with the frame that opens the channel; the frame is then given to the channel's OnFrame.
    /// Null refuses it (the peer gets Close); so does an exception.</summary>
    LinkChannel? Accept(DataLink link, FrameKind kind);
}
