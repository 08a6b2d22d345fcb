using System.Threading.Tasks.Sources;

namespace CSsl.Link;

/// <summary>What one read of a link brought to be opened; the read loop waits for it when somebody else runs it.</summary>
internal sealed class OpeningBatch : RecordBatch, IValueTaskSource
{
    // The runner does not become the read loop.
    private ManualResetValueTaskSourceCore<bool> _run = new() { RunContinuationsAsynchronously = true };

    /// <summary>Call before the batch is given away, and await it if it is not run at once.</summary>
    public ValueTask WaitAsync()
    {
        _run.Reset();
        return new ValueTask(this, _run.Version);
    }

    public override void OnRun() => _run.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _run.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _run.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _run.OnCompleted(continuation, state, token, flags);
}
