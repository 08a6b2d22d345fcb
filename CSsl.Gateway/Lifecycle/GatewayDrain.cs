using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway.Lifecycle;

/// <summary>
/// How a gateway leaves: Kestrel stops to accept and waits for the connections, which are closed politely (<see cref="ConnectionDrain"/>); those that are still
/// there after <see cref="GatewayOptions.DrainTime"/> are reset.
/// </summary>
internal sealed partial class GatewayDrain(
    GatewayStatus status,
    ConnectionTable connections,
    HandshakeAdmission admission,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<GatewayDrain> logger) : IHostedLifecycleService, IDisposable
{
    private readonly ConnectionDrain _drain = new(connections, admission);
    private readonly CancellationTokenSource _late = new();
    private ITimer? _timer;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        status.State = SiloState.Active;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        status.State = SiloState.Draining;
        LogDraining(logger, connections.Count);
        _timer = time.CreateTimer(static self => ((GatewayDrain)self!).ResetLate(), this, options.Value.DrainTime, Timeout.InfiniteTimeSpan);
        _ = DrainAsync();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        _late.Cancel();
        _late.Dispose();
        _drain.Dispose();
    }

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task DrainAsync()
    {
        try
        {
            await _drain.DrainAsync(_late.Token);
        }
        catch (OperationCanceledException) when (_late.IsCancellationRequested)
        {
            LogNotDrained(logger);
        }
    }

    private void ResetLate()
    {
        _late.Cancel();
        if (connections.Count > 0)
            LogResetting(logger, connections.Count, options.Value.DrainTime);
        connections.ResetAll(RefusalReason.Stopping);
    }

    [LoggerMessage(EventId = 240, Level = LogLevel.Information, Message = "Draining: {Connections} connections are open")]
    private static partial void LogDraining(ILogger logger, int connections);

    [LoggerMessage(EventId = 242, Level = LogLevel.Debug, Message = "Not all sleeping connections could be closed politely in time")]
    private static partial void LogNotDrained(ILogger logger);

    [LoggerMessage(EventId = 241, Level = LogLevel.Warning, Message = "Resetting {Connections} connections that did not end within {DrainTime}")]
    private static partial void LogResetting(ILogger logger, int connections, TimeSpan drainTime);
}
