using System.Diagnostics.CodeAnalysis;

namespace CSsl.Tls.Sessions;

/// <summary>
/// The key ring of a process, which may be replaced while it is used: a new key opens at once, and one that is taken out opens for a while yet. Thread-safe.
/// </summary>
/// <remarks>
/// Which key seals, the cluster says (<see cref="SealUnder"/>): one that all silos have. Until it has said so, the ring's newest does.
/// The key that the cluster seals under stays when a new ring lacks it: others go on sealing under it until they are told another one, and so must we.
/// After that it only opens, as does any other that was taken out, for the time of the retention: what is sealed under it is on its way yet, or has to be sealed anew.
/// </remarks>
/// <param name="ring">Takes ownership.</param>
/// <param name="retention">How long a key opens that is neither in the ring any more nor the cluster's; zero: it is wiped at once.</param>
/// <param name="time">Null for the system's.</param>
public sealed class SharedKeyRing(ClusterKeyRing ring, TimeSpan retention = default, TimeProvider? time = null) : IDisposable
{
    private readonly ReaderWriterLockSlim _gate = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    // No longer in the ring, the newest first: the cluster's, and those that open for a while yet.
    private readonly List<RetiredKey> _retired = [];
    private ClusterKeyRing _ring = ring;
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
    public string? KeptKeyId => Read(static owner => owner.Kept?.Id);

    /// <summary>The ids of the keys that only open, and not for long; not secret.</summary>
    public IReadOnlyList<string> RetiredKeyIds => Read(static owner => owner._retired.Where(retired => retired.Key.Name != owner._told).Select(static retired => retired.Key.Id).ToArray());

    /// <summary>Changes with everything that may change which key seals.</summary>
    internal int Generation => Volatile.Read(ref _generation);

    private ClusterKey? Kept => _retired.Find(retired => retired.Key.Name == _told)?.Key;

    private ClusterKey Sealing => _told is { } told && Find(told) is { } key ? key : _ring.Newest;

    /// <summary>Puts another ring in the place of this one, which is wiped; of its keys that the other lacks, copies stay for the retention.</summary>
    /// <param name="ring">Takes ownership.</param>
    public void Replace(ClusterKeyRing ring)
    {
        ArgumentNullException.ThrowIfNull(ring);
        Change(() =>
        {
            var old = _ring;
            _ring = ring;
            _retired.InsertRange(0, old.Keys.Select(key => new RetiredKey(key.Copy(), _time.GetTimestamp())));
            old.Dispose();

            // Two keys of one id can't be told apart in what they sealed.
            Wipe(retired => ring.KeyIds.Contains(retired.Key.Id));
            WipeExpired();
            return true;
        });
    }

    /// <summary>Seals under this key from now on, if it is here. The retention of one that stayed for the cluster's sake, and is not the cluster's any more, begins.</summary>
    /// <param name="name">A name as in <see cref="KeyNames"/>.</param>
    public void SealUnder(string name) => Change(() =>
    {
        if (_told == name)
            return false;
        _retired.Find(retired => retired.Key.Name == _told)?.Since = _time.GetTimestamp();
        _told = name;
        WipeExpired();
        return true;
    });

    /// <summary>Wipes the keys whose retention is over. To be called every few seconds.</summary>
    public void WipeRetired() => Change(WipeExpired);

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        _ring.Dispose();
        _retired.ForEach(static retired => retired.Key.Dispose());
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

    private IEnumerable<ClusterKey> Keys() => Kept is { } kept ? _ring.Keys.Append(kept) : _ring.Keys;

    private ClusterKey? Find(string name) => _ring.Find(name) ?? _retired.Find(retired => retired.Key.Name == name)?.Key;

    private bool WipeExpired()
    {
        var seen = 0;
        return Wipe(retired => retired.Key.Name != _told && (_time.GetElapsedTime(retired.Since) >= retention || ++seen > ClusterKeyRing.MaxKeys));
    }

    private bool Wipe(Predicate<RetiredKey> isOver) => _retired.RemoveAll(retired =>
    {
        if (!isOver(retired))
            return false;
        retired.Key.Dispose();
        return true;
    }) > 0;

    private sealed class RetiredKey(ClusterKey key, long since)
    {
        public ClusterKey Key { get; } = key;

        /// <summary>Time stamp: neither in the ring nor the cluster's since then.</summary>
        public long Since { get; set; } = since;
    }

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
            foreach (var retired in owner._retired)
            {
                if (id.SequenceEqual(retired.Key.IdBytes))
                {
                    found = retired.Key;
                    return true;
                }
            }

            return false;
        }

        public void Dispose() => owner._gate.ExitReadLock();
    }
}
