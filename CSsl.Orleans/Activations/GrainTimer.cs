using System.Diagnostics.CodeAnalysis;
using CSsl.EmbeddedCluster.Calls;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>A timer whose ticks are turns of its activation. The next tick is set when the last one is done.</summary>
internal sealed partial class GrainTimer : IGrainTimer, ITurn
{
    private readonly Activation _activation;
    private readonly Func<CancellationToken, Task> _callback;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _disposed = new();
    private readonly ITimer _timer;
    private TimeSpan _period = Timeout.InfiniteTimeSpan;
    private int _changes;

    public GrainTimer(Activation activation, Func<CancellationToken, Task> callback, TimeProvider time, ILogger log)
    {
        _activation = activation;
        _callback = callback;
        _log = log;
        _timer = time.CreateTimer(static self => ((GrainTimer)self!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        _period = period;
        _changes++;
        _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
    }

    [SuppressMessage("Design", "CA1031", Justification = "A failed tick does not end the timer.")]
    public async ValueTask<Exception?> RunAsync(object grain)
    {
        if (_disposed.IsCancellationRequested)
            return null;
        var changes = _changes;
        try
        {
            await _callback(_disposed.Token);
            return null;
        }
        catch (Exception e)
        {
            if (!_disposed.IsCancellationRequested)
                LogFailed(_log, _activation.Id, e);
            return e;
        }
        finally
        {
            if (!_disposed.IsCancellationRequested && _changes == changes && _period > TimeSpan.Zero)
                _timer.Change(_period, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        if (_disposed.IsCancellationRequested)
            return;
        _disposed.Cancel();
        _timer.Dispose();
        _activation.RemoveTimer(this);
    }

    private void Tick() => _activation.TryEnqueue(this);

    [LoggerMessage(3, LogLevel.Warning, "A timer of grain {Grain} failed.")]
    private static partial void LogFailed(ILogger logger, GrainId grain, Exception exception);
}
