namespace CSsl.Tls.Engines;

/// <summary>
/// An expanded key of one direction of one connection, in the form that its engine works with. Made by <see cref="IRecordEngine.CreateKey"/>;
/// wiped when its owner has disposed it and no job that was prepared with it is under way any more.
/// </summary>
/// <remarks>
/// A job leases its key from the moment it is prepared until it is released. So a KeyUpdate, or the end of a connection, may replace a key while
/// records under it still wait in a batch. Leases may be taken and returned on different threads; an engine call has the key for itself.
/// </remarks>
public abstract class RecordKey : IDisposable
{
    // The owner's reference and one of each lease.
    private int _references = 1;
    private int _disposed;

    /// <summary>True when the key is gone from memory.</summary>
    public bool IsWiped => Volatile.Read(ref _references) == 0;

    /// <summary>True when the engine works on several records of such keys at the same time (<see cref="IRecordEngine.Lanes"/>).</summary>
    public virtual bool UsesLanes => false;

    /// <summary>Gives up the owner's reference.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            Return();
        GC.SuppressFinalize(this);
    }

    /// <summary>Called by the owner only, so that there is a reference to add to.</summary>
    /// <exception cref="ObjectDisposedException">The owner has disposed it.</exception>
    internal void Lease()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        Interlocked.Increment(ref _references);
    }

    internal void Return()
    {
        if (Interlocked.Decrement(ref _references) == 0)
            Wipe();
    }

    /// <summary>Zeroes and frees the expanded key. Called once.</summary>
    protected abstract void Wipe();
}
