using System.Threading.Tasks.Sources;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>Wakes one waiter, who then looks what is new. A signal that nobody waits for is kept, once. The waiter goes on on the thread pool.</summary>
internal sealed class AsyncSignal : IValueTaskSource
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };
    private bool _isSet;
    private bool _isAwaited;

    /// <summary>From any thread, also in the middle of a call into a pipe.</summary>
    public void Set()
    {
        lock (_gate)
        {
            _isSet = !_isAwaited;
            if (!_isAwaited)
                return;

            _isAwaited = false;
        }

        _wait.SetResult(true);
    }

    /// <summary>Completes at the next <see cref="Set"/>, or at once after one that nobody waited for. One waiter at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return default;
            }

            _wait.Reset();
            _isAwaited = true;
            return new ValueTask(this, _wait.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _wait.OnCompleted(continuation, state, token, flags);
}
