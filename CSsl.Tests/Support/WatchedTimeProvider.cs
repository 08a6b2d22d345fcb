using Microsoft.Extensions.Time.Testing;

namespace CSsl.Tests.Support;

/// <summary>A fake clock that tells when code on another thread waits by it: wait for that before advancing it.</summary>
public sealed class WatchedTimeProvider : FakeTimeProvider
{
    private readonly Lock _gate = new();
    private readonly Dictionary<WatchedTimer, DateTimeOffset> _armed = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new WatchedTimer(this);
        timer.Inner = base.CreateTimer(
            _ =>
            {
                Mark(timer, timer.Period);
                callback(state);
            },
            null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Completes once a timer is armed that is due within <paramref name="due"/> from now (any timer when omitted).</summary>
    public async Task TimerArmedAsync(TimeSpan? due = null)
    {
        DateTimeOffset limit = due is { } time ? GetUtcNow() + time : DateTimeOffset.MaxValue;
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_armed.Values.Any(at => at <= limit))
                    return;
                changed = _changed.Task;
            }

            await changed;
        }
    }

    private void Mark(WatchedTimer timer, TimeSpan due)
    {
        lock (_gate)
        {
            if (due == Timeout.InfiniteTimeSpan)
            {
                _armed.Remove(timer);
                return;
            }

            _armed[timer] = GetUtcNow() + due;
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private sealed class WatchedTimer(WatchedTimeProvider clock) : ITimer
    {
        public ITimer Inner { get; set; } = null!;

        public TimeSpan Period { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Period = period > TimeSpan.Zero ? period : Timeout.InfiniteTimeSpan;
            if (!Inner.Change(dueTime, period))
                return false;
            clock.Mark(this, dueTime);
            return true;
        }

        public void Dispose()
        {
            Inner.Dispose();
            clock.Mark(this, Timeout.InfiniteTimeSpan);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
