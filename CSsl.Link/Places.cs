namespace CSsl.Link;

/// <summary>Places for connections, for whoever accepts them: waits for room before, and takes one after. Several that do so at the same moment may pass the bound by one each. Thread-safe.</summary>
/// <param name="capacity">How many there are.</param>
public sealed class Places(int capacity)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _hasRoom;
    private int _taken;

    /// <summary>How many there are.</summary>
    public int Capacity => capacity;

    /// <summary>How many are taken.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Completes when one is free.</summary>
    public Task WhenFreeAsync()
    {
        lock (_gate)
        {
            if (_taken < capacity)
                return Task.CompletedTask;
            _hasRoom ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _hasRoom.Task;
        }
    }

    /// <summary>Takes one.</summary>
    public void Take()
    {
        lock (_gate)
            _taken++;
    }

    /// <summary>Gives one back.</summary>
    public void Leave()
    {
        TaskCompletionSource? hasRoom = null;
        lock (_gate)
        {
            if (--_taken < capacity)
                (hasRoom, _hasRoom) = (_hasRoom, null);
        }

        hasRoom?.SetResult();
    }
}
