using Orleans.Runtime;
using Orleans.Timers;

namespace CSsl.Tests.Support;

/// <summary>Grain timers on a fake clock: they fire, and run to their end, while it is advanced.</summary>
internal sealed class FakeTimers(TimeProvider time) : ITimerRegistry
{
    // As an activation keeps its own: a timer that nobody keeps is collected, and stops.
    private readonly List<FakeTimer> _timers = [];

    public IGrainTimer RegisterGrainTimer<TState>(IGrainContext grainContext, Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options)
    {
        _timers.Add(new FakeTimer(time.CreateTimer(_ => callback(state, CancellationToken.None).GetAwaiter().GetResult(), null, options.DueTime, options.Period)));
        return _timers[^1];
    }

    [Obsolete("Orleans's own is, too.")]
    public IDisposable RegisterTimer(IGrainContext grainContext, Func<object?, Task> callback, object? state, TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

    private sealed class FakeTimer(ITimer timer) : IGrainTimer
    {
        public void Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

        public void Dispose() => timer.Dispose();
    }
}
