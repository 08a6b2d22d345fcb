using System.Diagnostics;
using CSsl.Grains.Aggregation;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tls.Engines;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Aggregation;

/// <summary>
/// One per silo: has the records of all its connections, of all links, sealed and opened by few engine calls. Flat combining: whoever comes when
/// nobody is at work runs its own batch, on its own thread; who comes meanwhile leaves its batch in a list, and those are run together, in the order
/// of their coming, by one call more. So an idle silo waits for nothing and hands nothing over, and the calls of a busy one grow by themselves.
/// </summary>
/// <remarks>
/// <para>What a batch holds was gathered under the link's rules: a bounded number of bytes of each connection, in turn. A link has at most one batch for
/// each direction here, and waits for it before it gathers the next: the list is as short as the links are few, records of one connection are never
/// in two batches of a direction, and nothing overtakes.</para>
/// <para>No wake-up is lost: who leaves a batch looks afterwards whether the combiner has gone; who goes as the combiner looks afterwards whether a
/// batch came.</para>
/// </remarks>
internal sealed partial class RecordAggregator : IRecordRunner, IRecordAggregation, IThreadPoolWorkItem
{
    private readonly IRecordEngine _engine;
    private readonly AggregatorMetrics _metrics;
    private readonly ILogger<RecordAggregator> _logger;
    private readonly Lock _changing = new();
    private int _recordsPerCall;
    private long _maxDelayTicks;

    // The last one that came, and behind it those before.
    private RecordBatch? _waiting;
    private int _isCombining;

    // The combiner's own.
    private RecordJob[] _gathered = [];

    public RecordAggregator(IRecordEngine engine, AggregatorMetrics metrics, IOptions<AggregationOptions> options, ILogger<RecordAggregator> logger)
    {
        (_engine, _metrics, _logger) = (engine, metrics, logger);
        _recordsPerCall = options.Value.RecordsPerCall;
        _maxDelayTicks = options.Value.MaxDelay.Ticks;
    }

    /// <inheritdoc/>
    public AggregationStatus Status => new()
    {
        Engine = _engine.Name,
        Lanes = _engine.Lanes,
        RecordsPerCall = Volatile.Read(ref _recordsPerCall),
        MaxDelay = new TimeSpan(Volatile.Read(ref _maxDelayTicks)),
        Calls = _metrics.Calls,
        Records = _metrics.Records,
        Bytes = _metrics.Bytes,
        Failures = _metrics.Failures,
        Batches = _metrics.Batches(),
    };

    /// <inheritdoc/>
    public void Change(AggregationChange change)
    {
        lock (_changing)
        {
            Volatile.Write(ref _recordsPerCall, change.RecordsPerCall ?? _recordsPerCall);
            Volatile.Write(ref _maxDelayTicks, change.MaxDelay?.Ticks ?? _maxDelayTicks);
            LogSet(_recordsPerCall, new TimeSpan(_maxDelayTicks).TotalMilliseconds);
        }
    }

    /// <inheritdoc/>
    public bool TryRun(RecordBatch batch)
    {
        if (TryEnter())
        {
            CombineAndLeave(batch);
            return true;
        }

        batch.WaitingSince = Stopwatch.GetTimestamp();
        Push(batch);
        if (TryEnter())
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return false;
    }

    void IThreadPoolWorkItem.Execute() => CombineAndLeave(own: null);

    private bool TryEnter() => Interlocked.CompareExchange(ref _isCombining, 1, 0) == 0;

    // Whoever has run its own batch is wanted elsewhere: what came meanwhile is somebody else's turn.
    private void Leave()
    {
        Volatile.Write(ref _isCombining, 0);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _waiting) is not null && TryEnter())
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Push(RecordBatch batch)
    {
        var last = Volatile.Read(ref _waiting);
        while (true)
        {
            batch.Next = last;
            var seen = Interlocked.CompareExchange(ref _waiting, batch, last);
            if (seen == last)
                return;
            last = seen;
        }
    }

    // Whatever fails here (an allocation, a listener of the metrics), those that wait are told and the next combiner gets in: every link needs both.
    private void CombineAndLeave(RecordBatch? own)
    {
        RecordBatch? waiting = null;
        try
        {
            if (Volatile.Read(ref _maxDelayTicks) is > 0 and var delay)
                AwaitCompany(own?.Count ?? 0, new TimeSpan(delay));
            waiting = TakeWaiting();
            if (waiting is not null)
                RunTogether(own, waiting);
            else if (own is not null)
                Run(own.Jobs);
        }
        catch (Exception e)
        {
            _metrics.Failed();
            LogCombiningFailed(e);
        }
        finally
        {
            Tell(waiting);
            Leave();
        }
    }

    private void Tell(RecordBatch? waiting)
    {
        for (var batch = waiting; batch is not null;)
        {
            // It is its owner's again as soon as it is told.
            var next = batch.Next;
            batch.Next = null;
            try
            {
                batch.OnRun();
            }
            catch (Exception e)
            {
                LogCombiningFailed(e);
            }

            batch = next;
        }
    }

    private void AwaitCompany(int records, TimeSpan delay)
    {
        var began = Stopwatch.GetTimestamp();
        var spinner = default(SpinWait);
        while (records + CountWaiting() < _engine.Lanes && Stopwatch.GetElapsedTime(began) < delay)
            spinner.SpinOnce(sleep1Threshold: -1);
    }

    // Nobody but the combiner takes batches off the list, so those that are on it stay while it looks.
    private int CountWaiting()
    {
        var records = 0;
        for (var batch = Volatile.Read(ref _waiting); batch is not null; batch = batch.Next)
            records += batch.Count;
        return records;
    }

    // In the order of their coming.
    private RecordBatch? TakeWaiting()
    {
        if (Volatile.Read(ref _waiting) is null)
            return null;
        RecordBatch? first = null;
        for (var batch = Interlocked.Exchange(ref _waiting, null); batch is not null;)
        {
            var next = batch.Next;
            batch.Next = first;
            first = batch;
            batch = next;
        }

        return first;
    }

    // One call takes one span: the jobs are copied together, and back with what became of them.
    private void RunTogether(RecordBatch? own, RecordBatch waiting)
    {
        var now = Stopwatch.GetTimestamp();
        var count = own?.Count ?? 0;
        for (var batch = waiting; batch is not null; batch = batch.Next)
            count += batch.Count;

        if (_gathered.Length < count)
            _gathered = new RecordJob[Math.Max(count, 2 * _gathered.Length)];
        var jobs = _gathered.AsSpan(0, count);
        var at = own?.Count ?? 0;
        own?.Jobs.CopyTo(jobs);
        for (var batch = waiting; batch is not null; batch = batch.Next)
        {
            batch.Jobs.CopyTo(jobs[at..]);
            at += batch.Count;
        }

        Run(jobs);

        at = own?.Count ?? 0;
        own?.TakeBack(jobs[..at]);
        for (var batch = waiting; batch is not null; batch = batch.Next)
        {
            batch.TakeBack(jobs.Slice(at, batch.Count));
            at += batch.Count;
        }

        // They were copies: the leases on the keys are the originals'.
        jobs.Clear();
        for (var batch = waiting; batch is not null; batch = batch.Next)
            _metrics.Waited(Stopwatch.GetElapsedTime(batch.WaitingSince, now));
    }

    private void Run(Span<RecordJob> jobs)
    {
        var most = Volatile.Read(ref _recordsPerCall);
        while (!jobs.IsEmpty)
        {
            var some = jobs[..Math.Min(jobs.Length, most)];
            jobs = jobs[some.Length..];
            try
            {
                _engine.Run(some);
                _metrics.Ran(some, _engine.Lanes);
            }
            catch (Exception e)
            {
                // The jobs say which of them were done; of the others, each connection is told when it completes its own.
                _metrics.Failed();
                LogFailed(_engine.Name, some.Length, e);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "aggregation was set: at most {RecordsPerCall} records per engine call, which waits for {Delay} ms at most")]
    private partial void LogSet(int recordsPerCall, double delay);

    [LoggerMessage(Level = LogLevel.Error, Message = "the record engine {Engine} failed in a call with {Records} records: the connections of those that were not done are ended")]
    private partial void LogFailed(string engine, int records, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "batches could not be run together: the connections of records that were not done are ended")]
    private partial void LogCombiningFailed(Exception error);
}
