using CSsl.Tls.Engines;

namespace CSsl.Link;

/// <summary>
/// Records of many channels that one engine call is to seal, or to open: the jobs next to each other, as an engine takes them, and whose they are.
/// Filled, run and completed by one end of a link at a time.
/// </summary>
public abstract class RecordBatch
{
    /// <summary>A batch that has so many records is run before it grows further; a turn or a frame may exceed it once.</summary>
    public const int UsualRecords = 1024;

    private RecordJob[] _jobs = [];
    private LinkChannel[] _owners = [];

    /// <summary>For whoever keeps batches that wait in a list.</summary>
    public RecordBatch? Next { get; set; }

    /// <summary>Time stamp of the moment from which the batch has waited.</summary>
    public long WaitingSince { get; set; }

    /// <summary>How many records.</summary>
    public int Count { get; private set; }

    /// <summary>The records. The array behind it stays where it is until the next <see cref="Reserve"/>.</summary>
    public Span<RecordJob> Jobs => _jobs.AsSpan(0, Count);

    /// <summary>Idle jobs behind the last one, for <see cref="Commit"/>.</summary>
    public Span<RecordJob> Reserve(int count)
    {
        if (_jobs.Length - Count < count)
            Grow(Count + count);
        return _jobs.AsSpan(Count, count);
    }

    /// <summary>The first so many of the reserved jobs are a channel's.</summary>
    public void Commit(LinkChannel owner, int count)
    {
        _owners.AsSpan(Count, count).Fill(owner);
        Count += count;
    }

    /// <summary>One more job of a channel, idle.</summary>
    public ref RecordJob Add(LinkChannel owner)
    {
        ref var job = ref Reserve(1)[0];
        Commit(owner, 1);
        return ref job;
    }

    /// <summary>What became of copies of the jobs.</summary>
    public void TakeBack(ReadOnlySpan<RecordJob> jobs) => jobs.CopyTo(Jobs);

    /// <summary>The batch was run for the one that is waiting for it, on this thread. Must not block.</summary>
    public abstract void OnRun();

    internal LinkChannel Owner(int index) => _owners[index];

    /// <summary>The batch is empty.</summary>
    internal void Clear() => Truncate(0);

    /// <summary>Releases the jobs after the first <paramref name="count"/>, if they are not completed.</summary>
    internal void Truncate(int count)
    {
        foreach (ref var job in Jobs[count..])
            job.Release();
        _owners.AsSpan(count, Count - count).Clear();
        Count = count;
    }

    private void Grow(int needed)
    {
        var length = Math.Max(needed, Math.Max(16, 2 * _jobs.Length));
        Array.Resize(ref _jobs, length);
        Array.Resize(ref _owners, length);
    }
}

/// <summary>Has the batches of all links of a process run by its record engine. Thread-safe.</summary>
public interface IRecordRunner
{
    /// <summary>Runs a batch: at once, on this thread, or soon, on that of somebody who is running others at the moment.</summary>
    /// <param name="batch">Belongs to the runner until it was run.</param>
    /// <returns>True: it was run. False: it will be, and <see cref="RecordBatch.OnRun"/> says when.</returns>
    bool TryRun(RecordBatch batch);
}
