using Orleans.Runtime;
using Orleans.Timers;

namespace CSsl.Tests.Support;

/// <summary>A grain's timers by a test's clock, on the thread that advances it.</summary>
internal sealed class FakeTimers(TimeProvider time) : ITimerRegistry
{
    public IGrainTimer RegisterGrainTimer<TState>(IGrainContext grainContext, Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options)
        => new Timer(time.CreateTimer(_ => callback(state, CancellationToken.None).GetAwaiter().GetResult(), null, options.DueTime, options.Period));

    IDisposable ITimerRegistry.RegisterTimer(IGrainContext grainContext, Func<object?, Task> asyncCallback, object? state, TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

    private sealed class Timer(ITimer timer) : IGrainTimer
    {
        public void Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

        public void Dispose() => timer.Dispose();
    }
}
