using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Links;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// How a silo leaves: it says so to the gateways and to the cluster, lets the handshakes under way finish, and lets its sessions go (<see cref="SessionDrain"/>).
/// What is left after <see cref="SiloOptions.DrainTime"/> loses its link, so that its gateway has another silo take it over. Nothing of the silo stops before.
/// </summary>
internal sealed partial class SiloDrain(
    SiloStatus status,
    SiloLinks links,
    SiloReporter reporter,
    SiloAdminAddress admin,
    SessionDrain drain,
    SessionTable sessions,
    HandshakeMetrics handshakes,
    IOptions<SiloOptions> options,
    IOptions<ClusterOptions> cluster,
    TimeProvider time,
    ILogger<SiloDrain> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        LogStarted(options.Value.Name, options.Value.Roles, cluster.Value.Id, links.Endpoint, admin);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        LogDraining(sessions.Count, handshakes.InFlight);
        status.Leave();
        links.SayGoodbye();
        await Task.WhenAll(reporter.ReportAsync(cancellationToken), FinishHandshakesAsync(cancellationToken), FinishSessionsAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        LogStopped();
        return Task.CompletedTask;
    }

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

    private async Task FinishSessionsAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        using var timer = new PeriodicTimer(PollInterval, time);
        while (drain.Sweep() > 0)
        {
            if (time.GetElapsedTime(began) >= options.Value.DrainTime)
            {
                LogLeft(sessions.Count, options.Value.DrainTime);
                await links.DropAsync();
                return;
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }

        LogEmpty();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "silo {Name} ({Roles}) of cluster {Cluster}: links on {Link}, admin on {Admin}")]
    private partial void LogStarted(string name, SiloRoles roles, string cluster, string link, SiloAdminAddress admin);

    [LoggerMessage(Level = LogLevel.Information, Message = "draining: {Sessions} sessions and {Handshakes} handshakes are under way")]
    private partial void LogDraining(int sessions, int handshakes);

    [LoggerMessage(Level = LogLevel.Information, Message = "drained: nothing is left here")]
    private partial void LogEmpty();

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Sessions} sessions did not leave within {DrainTime}: their gateways have other silos take them over")]
    private partial void LogLeft(int sessions, TimeSpan drainTime);

    [LoggerMessage(Level = LogLevel.Information, Message = "stopped")]
    private partial void LogStopped();
}
