namespace CSsl.Tls.Sessions;

/// <summary>The key ring of a process, which may be replaced while it is used: a new key is there at once, and one that is taken out is wiped when nobody uses it. Thread-safe.</summary>
/// <param name="ring">Takes ownership.</param>
public sealed class SharedKeyRing(ClusterKeyRing ring) : IDisposable
{
    private readonly ReaderWriterLockSlim _gate = new();
    private ClusterKeyRing _ring = ring;
    private int _generation;

    /// <summary>The ids of the keys, newest first; not secret.</summary>
    public IReadOnlyList<string> KeyIds
    {
        get
        {
            using var borrowed = Borrow();
            return borrowed.Ring.KeyIds;
        }
    }

    /// <summary>Puts another ring in the place of this one, which is wiped.</summary>
    /// <param name="ring">Takes ownership.</param>
    public void Replace(ClusterKeyRing ring)
    {
        ArgumentNullException.ThrowIfNull(ring);
        ClusterKeyRing old;
        _gate.EnterWriteLock();
        try
        {
            (old, _ring) = (_ring, ring);
            Volatile.Write(ref _generation, _generation + 1);
        }
        finally
        {
            _gate.ExitWriteLock();
        }

        // Whoever had borrowed it has given it back, or the lock would not have been ours.
        old.Dispose();
    }

    /// <summary>Changes with every <see cref="Replace"/>.</summary>
    internal int Generation => Volatile.Read(ref _generation);

    /// <inheritdoc cref="ClusterKeyRing.Derive"/>
    public SecretBytes Derive(string label, int length)
    {
        using var borrowed = Borrow();
        return borrowed.Ring.Derive(label, length);
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        _ring.Dispose();
        _gate.Dispose();
    }

    /// <summary>The ring as it is now; it stays until the loan is disposed. For a few microseconds: <see cref="Replace"/> waits.</summary>
    internal Loan Borrow()
    {
        _gate.EnterReadLock();
        return new Loan(this);
    }

    /// <summary>A ring that is in use.</summary>
    internal readonly ref struct Loan(SharedKeyRing owner)
    {
        public ClusterKeyRing Ring => owner._ring;

        public int Generation => owner._generation;

        public void Dispose() => owner._gate.ExitReadLock();
    }
}
