namespace CSsl.Gateway.Links;

/// <summary>What became of a connection whose silo was lost.</summary>
internal enum LossOutcome
{
    /// <summary>Nothing was under way: it sleeps.</summary>
    AtRest = 0,

    /// <summary>It goes on: another silo has answered, or was lost in its turn.</summary>
    TakenOver,

    /// <summary>It was reset.</summary>
    Lost,

    /// <summary>The client did not wait.</summary>
    ClientGone,
}

/// <summary>The connections that were at a silo when its link was lost, and what became of them: for one line in the log. Thread-safe.</summary>
internal sealed class SiloLoss
{
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int[] _outcomes = new int[4];

    // One more than there are as long as the link is not yet over.
    private int _waiting = 1;
    private int _total;

    /// <summary>All of them.</summary>
    public int Total => Volatile.Read(ref _total);

    /// <summary>Completes when it is known of all of them.</summary>
    public Task Settled => _settled.Task;

    /// <summary>How many it became of that.</summary>
    public int this[LossOutcome outcome] => Volatile.Read(ref _outcomes[(int)outcome]);

    /// <summary>There is one more; <see cref="Settle"/> follows.</summary>
    public void Count()
    {
        Interlocked.Increment(ref _total);
        Interlocked.Increment(ref _waiting);
    }

    /// <summary>It is known of one of them.</summary>
    public void Settle(LossOutcome outcome)
    {
        Interlocked.Increment(ref _outcomes[(int)outcome]);
        Release();
    }

    /// <summary>The link is over: there are no more.</summary>
    public void Close() => Release();

    private void Release()
    {
        if (Interlocked.Decrement(ref _waiting) == 0)
            _settled.TrySetResult();
    }
}
