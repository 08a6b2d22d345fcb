using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Cluster;
using CSsl.Link;
using Microsoft.Extensions.Logging;

namespace CSsl.Gateway.Links;

/// <summary>The gateway's link with one run of a silo: made again when it breaks, as long as the silo is in the cluster view.</summary>
internal sealed partial class SiloLink : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>How long the report of a loss waits for slow answers.</summary>
    private static readonly TimeSpan ReportTime = TimeSpan.FromSeconds(5);

    private readonly LinkSetup _setup;
    private readonly Action _onChange;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _forgotten = new();
    private volatile Current? _current;

    /// <param name="silo">The silo.</param>
    /// <param name="setup">This gateway.</param>
    /// <param name="onChange">Called when the link is up, and when it is down.</param>
    /// <param name="logger">The log.</param>
    public SiloLink(SiloReport silo, LinkSetup setup, Action onChange, ILogger logger)
    {
        Name = silo.Name;
        Endpoint = silo.LinkEndpoint;
        (_setup, _onChange, _logger) = (setup, onChange, logger);
    }

    /// <summary>The silo's name.</summary>
    public string Name { get; }

    /// <summary>Where it listens.</summary>
    public string Endpoint { get; }

    /// <summary>True when the silo can be given new channels.</summary>
    public bool IsUsable => _current is { Link: { IsAlive: true, PeerLeaving: false } };

    /// <summary>Opens a channel with a frame that leaves with what follows it at once; false when the link is down: try another silo.</summary>
    public bool TryOpen(LinkChannel channel, FrameKind kind, ReadOnlySpan<byte> payload) => TryOpen(_current, channel, kind, payload);

    /// <summary>Opens a channel of the data phase, whose fate is noted should the link be lost.</summary>
    public bool TryOpen(DataChannel channel, ReadOnlySpan<byte> attach)
    {
        var current = _current;
        channel.Loss = current?.Loss;
        return TryOpen(current, channel, FrameKind.Attach, attach);
    }

    private static bool TryOpen(Current? current, LinkChannel channel, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (current is not { Link: { IsAlive: true } link })
            return false;

        try
        {
            link.Open(channel, kind, payload, hurried: false);
            return true;
        }
        catch (LinkException)
        {
            // Lost this very moment; its read loop says so in the log.
            return false;
        }
    }

    /// <summary>The silo is not in the view any more: the link lives on, but is not made again.</summary>
    public void Forget() => _forgotten.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _forgotten.Dispose();

    /// <summary>Keeps the link until <paramref name="stopping"/>, or until it breaks after <see cref="Forget"/>.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(_forgotten.Token, stopping);
        var pause = FirstPause;
        var isKnownDown = false;
        while (!giveUp.IsCancellationRequested)
        {
            try
            {
                await using var link = await LinkConnector.ConnectAsync(Endpoint, _setup, giveUp.Token);
                pause = FirstPause;
                await ServeAsync(link, stopping);

                // Who said goodbye does not come back in this run.
                isKnownDown = link.PeerLeaving;
            }
            catch (LinkException e)
            {
                if (!isKnownDown)
                    LogCannotConnect(_logger, Name, Endpoint, e.Message);
                isKnownDown = true;
            }
            catch (OperationCanceledException) when (giveUp.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), _setup.Time, giveUp.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task ServeAsync(DataLink link, CancellationToken stopping)
    {
        if (link.Peer.Name != Name)
            throw new LinkException($"It is {link.Peer.Name} that listens there.");

        var loss = new SiloLoss();
        var running = link.RunAsync(stopping);
        _current = new Current(link, loss);
        LogUp(_logger, Name, Endpoint);
        _onChange();
        var reason = await running;
        _current = null;
        loss.Close();
        _onChange();
        if (stopping.IsCancellationRequested)
        {
            LogClosed(_logger, Name);
            return;
        }

        if (link.PeerLeaving)
            LogLeft(_logger, Name);
        else
            LogLost(_logger, Name, reason.Message);
        _ = ReportAsync(loss);
    }

    /// <summary>One line for all connections, when it is known what became of them, or late enough.</summary>
    private async Task ReportAsync(SiloLoss loss)
    {
        if (loss.Total == 0)
            return;

        await loss.Settled.WaitAsync(ReportTime, _setup.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var takenOver = loss[LossOutcome.TakenOver];
        var (atRest, lost, gone) = (loss[LossOutcome.AtRest], loss[LossOutcome.Lost], loss[LossOutcome.ClientGone]);
        LogFate(_logger, Name, loss.Total, takenOver, atRest, lost, loss.Total - takenOver - atRest - lost - gone);
    }

    [LoggerMessage(EventId = 220, Level = LogLevel.Information, Message = "Link with {Silo} at {Endpoint} is up")]
    private static partial void LogUp(ILogger logger, string silo, string endpoint);

    [LoggerMessage(EventId = 221, Level = LogLevel.Warning, Message = "Link with {Silo} was lost: {Reason}")]
    private static partial void LogLost(ILogger logger, string silo, string reason);

    [LoggerMessage(EventId = 226, Level = LogLevel.Information, Message = "Link with {Silo} ended: the silo has stopped")]
    private static partial void LogLeft(ILogger logger, string silo);

    [LoggerMessage(EventId = 222, Level = LogLevel.Warning, Message = "No link with {Silo} at {Endpoint}, trying again: {Reason}")]
    private static partial void LogCannotConnect(ILogger logger, string silo, string endpoint, string reason);

    [LoggerMessage(EventId = 225, Level = LogLevel.Information, Message = "{Silo} had {Connections} connections: {TakenOver} were taken over, {AtRest} sleep, {Lost} were lost, {Waiting} wait for an answer")]
    private static partial void LogFate(ILogger logger, string silo, int connections, int takenOver, int atRest, int lost, int waiting);

    [LoggerMessage(EventId = 223, Level = LogLevel.Debug, Message = "Link with {Silo} closed")]
    private static partial void LogClosed(ILogger logger, string silo);

    private sealed record Current(DataLink Link, SiloLoss Loss);
}
