using System.Diagnostics.CodeAnalysis;

namespace CSsl.Tls.Sessions;

/// <summary>
/// The key ring of a process, which may be replaced while it is used: a new key opens at once, and one that is taken out is wiped when nobody uses it. Thread-safe.
/// </summary>
/// <remarks>
/// Which key seals, the cluster says (<see cref="SealUnder"/>): one that all silos have. Until it has said so, the ring's newest does.
/// The key that the cluster seals under stays when a new ring lacks it: others go on sealing under it until they are told another one, and so must we.
/// </remarks>
/// <param name="ring">Takes ownership.</param>
public sealed class SharedKeyRing(ClusterKeyRing ring) : IDisposable
{
    private readonly ReaderWriterLockSlim _gate = new();
    private ClusterKeyRing _ring = ring;

    // The cluster's, which is not in the ring any more.
    private ClusterKey? _kept;
    private string? _told;
    private int _generation;

    /// <summary>What seals, or what opens, is not what it was. Raised on the thread that changed it.</summary>
    public event Action? Changed;

    /// <summary>The ids of the keys, newest first; not secret.</summary>
    public IReadOnlyList<string> KeyIds => Read(static owner => owner.Keys().Select(static key => key.Id).ToArray());

    /// <summary>The names of the keys (<see cref="ClusterKeyRing.KeyNames"/>), newest first; not secret.</summary>
    public IReadOnlyList<string> KeyNames => Read(static owner => owner.Keys().Select(static key => key.Name).ToArray());

    /// <summary>The name of the key that the cluster seals under, as far as this silo was told; null before.</summary>
    public string? ClusterKeyName => Read(static owner => owner._told);

    /// <summary>True when this silo has the key that the cluster seals under, and so seals what all others can open.</summary>
    public bool HasClusterKey => Read(static owner => owner._told is { } told && owner.Find(told) is not null);

    /// <summary>The id of the cluster's key when it stayed although it is in the ring no more; null otherwise.</summary>
    public string? KeptKeyId => Read(static owner => owner._kept?.Id);

    /// <summary>Changes with everything that may change which key seals.</summary>
    internal int Generation => Volatile.Read(ref _generation);

    private ClusterKey Sealing => _told is { } told && Find(told) is { } key ? key : _ring.Newest;

    /// <summary>Puts another ring in the place of this one, which is wiped.</summary>
    /// <param name="ring">Takes ownership.</param>
    public void Replace(ClusterKeyRing ring)
    {
        ArgumentNullException.ThrowIfNull(ring);
        Change(() =>
        {
            var (old, kept) = (_ring, _kept);
            var needed = _told is { } told && ring.Find(told) is null ? Find(told) : null;

            // Two keys of one id can't be told apart in what they sealed.
            _kept = needed is not null && !ring.KeyIds.Contains(needed.Id) ? needed.Copy() : null;
            _ring = ring;
            old.Dispose();
            kept?.Dispose();
            return true;
        });
    }

    /// <summary>Seals under this key from now on, if it is here. One that stayed for the cluster's sake and is not the cluster's any more is wiped.</summary>
    /// <param name="name">A name as in <see cref="KeyNames"/>.</param>
    public void SealUnder(string name) => Change(() =>
    {
        if (_told == name)
            return false;
        _told = name;
        if (_kept is { } kept && kept.Name != name)
        {
            kept.Dispose();
            _kept = null;
        }

        return true;
    });

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        _ring.Dispose();
        _kept?.Dispose();
        _gate.Dispose();
    }

    /// <summary>The keys as they are now; they stay until the loan is disposed. For a few microseconds: <see cref="Replace"/> waits.</summary>
    internal Loan Borrow()
    {
        _gate.EnterReadLock();
        return new Loan(this);
    }

    // Whoever had borrowed a key has given it back, or the lock would not be ours.
    private void Change(Func<bool> change)
    {
        _gate.EnterWriteLock();
        try
        {
            if (!change())
                return;
            Volatile.Write(ref _generation, _generation + 1);
        }
        finally
        {
            _gate.ExitWriteLock();
        }

        Changed?.Invoke();
    }

    private T Read<T>(Func<SharedKeyRing, T> read)
    {
        using var borrowed = Borrow();
        return read(this);
    }

    private IEnumerable<ClusterKey> Keys() => _kept is { } kept ? _ring.Keys.Append(kept) : _ring.Keys;

    private ClusterKey? Find(string name) => _ring.Find(name) ?? (_kept?.Name == name ? _kept : null);

    /// <summary>The keys while they are in use.</summary>
    internal readonly ref struct Loan(SharedKeyRing owner)
    {
        /// <summary>The key that seals.</summary>
        public ClusterKey Sealing => owner.Sealing;

        public int Generation => owner._generation;

        public bool TryFind(ReadOnlySpan<byte> id, [NotNullWhen(true)] out ClusterKey? found)
        {
            if (owner._ring.TryFind(id, out found))
                return true;
            found = owner._kept is { } kept && id.SequenceEqual(kept.IdBytes) ? kept : null;
            return found is not null;
        }

        public void Dispose() => owner._gate.ExitReadLock();
    }
}
