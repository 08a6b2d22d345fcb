using CSsl.Link;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>
/// What the client has got, and the capsule that fits it: the server's half of what the next silo is told. Guarded by whoever owns it.
/// </summary>
/// <param name="capsule">The session as the handshake left it.</param>
/// <param name="start">Number of the next record to the client.</param>
internal sealed class SentToClient(ReadOnlyMemory<byte> capsule, ulong start)
{
    /// <summary>Capsules that may wait for their record. A silo has one KeyUpdate under way; more than a few are a fault.</summary>
    public const int MaxPending = 4;

    private Queue<Rekeyed>? _pending;
    private ulong _bytesAtCheckpoint;

    /// <summary>The sealed session with which the next silo goes on.</summary>
    public ReadOnlyMemory<byte> Capsule { get; private set; } = capsule;

    /// <summary>Number of the next record to the client: all before it were delivered.</summary>
    public ulong Records { get; private set; } = start;

    /// <summary>Bytes of application data delivered, ever.</summary>
    public ulong Bytes { get; private set; }

    /// <summary>Bytes of application data delivered since the last checkpoint.</summary>
    public ulong BytesSinceCheckpoint => Bytes - _bytesAtCheckpoint;

    /// <summary>Payload of the newest note since the last checkpoint; or empty.</summary>
    public ReadOnlyMemory<byte> Note { get; private set; }

    /// <summary>How often <see cref="Capsule"/> was replaced because the client has got the first record under a new write key.</summary>
    public ulong KeysTaken { get; private set; }

    /// <summary>Write keys that the last silo had announced when it was dropped, and under which the client has got nothing.</summary>
    public int KeysForgotten { get; private set; }

    /// <summary>A frame's records are delivered: all of them.</summary>
    public void Deliver(int records, int bytes)
    {
        Records += (ulong)records;
        Bytes += (ulong)bytes;
        while (_pending is not null && _pending.TryPeek(out var rekeyed) && rekeyed.ServerRecord <= Records)
        {
            Capsule = _pending.Dequeue().Capsule;
            KeysTaken++;
        }
    }

    /// <summary>A capsule for later.</summary>
    /// <exception cref="LinkException">It could never become due, or too many wait.</exception>
    public void Announce(Rekeyed rekeyed)
    {
        _pending ??= new Queue<Rekeyed>(1);
        if (rekeyed.ServerRecord <= Records || _pending.Count == MaxPending || _pending.Any(earlier => earlier.ServerRecord >= rekeyed.ServerRecord))
            throw new LinkException($"A new key from record {rekeyed.ServerRecord} on, when {Records} are delivered and {_pending.Count} keys are to come.");
        _pending.Enqueue(rekeyed);
    }

    public void Keep(ReadOnlySpan<byte> note) => Note = note.ToArray();

    /// <summary>Everything before <paramref name="record"/> is answered.</summary>
    /// <exception cref="LinkException">That is not what was delivered; or a capsule comes that lacks a key which is to come.</exception>
    public void CheckCheckpoint(ulong record, ReadOnlyMemory<byte> capsule)
    {
        if (record != Records)
            throw new LinkException($"A checkpoint at record {record} to the client, when {Records} are delivered.");
        if (!capsule.IsEmpty && _pending is { Count: > 0 })
            throw new LinkException("A checkpoint with a capsule between a new key and its first record.");
    }

    /// <summary>After <see cref="CheckCheckpoint"/>.</summary>
    public void Checkpoint(ReadOnlyMemory<byte> capsule)
    {
        if (!capsule.IsEmpty)
            Capsule = capsule;
        _bytesAtCheckpoint = Bytes;
        Note = default;
    }

    /// <summary>The silo is gone, and the keys that it had announced with it.</summary>
    public void Forget()
    {
        KeysForgotten = _pending?.Count ?? 0;
        _pending = null;
    }
}
