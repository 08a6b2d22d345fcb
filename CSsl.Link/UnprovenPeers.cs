namespace CSsl.Link;

/// <summary>
/// Bounds the connections that have not proved the cluster key. When there are too many, the oldest goes: a peer that knows the key
/// needs a millisecond, one that only holds a place loses it, and can't keep the others out.
/// </summary>
internal sealed class UnprovenPeers(int most = UnprovenPeers.Most)
{
    public const int Most = 64;

    private readonly LinkedList<Entry> _entries = new();

    public int Count
    {
        get
        {
            lock (_entries)
                return _entries.Count;
        }
    }

    /// <summary>A place, and the token that is cancelled when it is lost. Disposing it gives it back.</summary>
    public Entry Add(CancellationToken closing)
    {
        var entry = new Entry(this, closing);
        Entry? oldest = null;
        lock (_entries)
        {
            _entries.AddLast(entry);
            if (_entries.Count > most)
            {
                oldest = _entries.First!.Value;
                _entries.RemoveFirst();
            }
        }

        oldest?.Evict();
        return entry;
    }

    /// <summary>One connection's place.</summary>
    internal sealed class Entry(UnprovenPeers peers, CancellationToken closing) : IDisposable
    {
        private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(closing);
        private bool _disposed;

        public CancellationToken Token => _source.Token;

        public void Evict()
        {
            lock (_source)
            {
                if (!_disposed)
                    _source.Cancel();
            }
        }

        public void Dispose()
        {
            lock (peers._entries)
                peers._entries.Remove(this);
            lock (_source)
            {
                _disposed = true;
                _source.Dispose();
            }
        }
    }
}
