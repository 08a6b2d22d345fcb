using CSsl.Hosting;
using Microsoft.Extensions.Hosting;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Bounds how long Orleans may take to leave the cluster, after this silo has drained: without its database it tries for two minutes to write there that it
/// goes. Registered right after Orleans, so it is stopped right before. Nobody waits for that line: the other silos miss their probes and declare it dead.
/// </summary>
internal sealed class LeaveDeadline(ProcessEnd process, TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>Time for Orleans to leave.</summary>
    public static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(5);

    private ITimer? _timer;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(static self => ((LeaveDeadline)self!).End(), this, LeaveTime, Timeout.InfiniteTimeSpan);
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    private void End() => process.Now(
        ExitCodes.Success, $"the cluster's database did not take this silo's leave within {LeaveTime.TotalSeconds:0} s: it ends without, and the others find out by themselves");
}
