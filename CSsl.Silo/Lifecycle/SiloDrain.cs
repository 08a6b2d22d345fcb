using CSsl.Grains.Cluster;
using CSsl.Grains.Configuration;
using CSsl.Grains.Data;
using CSsl.Grains.Handshake;
using CSsl.Silo.Links;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// How a silo leaves, before anything of it stops: it says so to the gateways and to the cluster, lets the handshakes under way finish,
/// and then Kestrel finishes the requests under way (idle connections end with close_notify). What takes longer than
/// <see cref="SiloOptions.DrainTime"/> is aborted.
/// </summary>
internal sealed partial class SiloDrain(
    SiloStatus status,
    SiloLinks links,
    SiloReporter reporter,
    SiloAdminAddress admin,
    SessionTable sessions,
    HandshakeMetrics handshakes,
    IOptions<SiloOptions> options,
    TimeProvider time,
    ILogger<SiloDrain> logger) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _stopped = new();
    private Task _lateAborter = Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        LogStarted(options.Value.Name, options.Value.Roles, links.Endpoint, admin);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        LogDraining(sessions.Count, handshakes.InFlight);
        status.Leave();
        links.SayGoodbye();
        _lateAborter = AbortLateAsync();
        await Task.WhenAll(reporter.ReportAsync(cancellationToken), FinishHandshakesAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _stopped.CancelAsync();
        await _lateAborter;
        LogStopped();
    }

    /// <inheritdoc/>
    public void Dispose() => _stopped.Dispose();

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task FinishHandshakesAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        using var timer = new PeriodicTimer(PollInterval, time);
        while (handshakes.InFlight > 0 && time.GetElapsedTime(began) < HandshakeTime)
            await timer.WaitForNextTickAsync(cancellationToken);
    }

    private async Task AbortLateAsync()
    {
        await Task.Delay(options.Value.DrainTime, time, _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_stopped.IsCancellationRequested || sessions.Count == 0)
            return;
        LogAborting(sessions.Count, options.Value.DrainTime);
        foreach (var session in sessions.All)
            session.Abort("the silo stops");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "silo {Name} ({Roles}): links on {Link}, admin on {Admin}")]
    private partial void LogStarted(string name, SiloRoles roles, string link, SiloAdminAddress admin);

    [LoggerMessage(Level = LogLevel.Information, Message = "draining: {Sessions} sessions and {Handshakes} handshakes are under way")]
    private partial void LogDraining(int sessions, int handshakes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "aborting {Sessions} sessions that did not end within {DrainTime}")]
    private partial void LogAborting(int sessions, TimeSpan drainTime);

    [LoggerMessage(Level = LogLevel.Information, Message = "stopped")]
    private partial void LogStopped();
}
