using System.Threading.Channels;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;

namespace CSsl.Silo.Handshake;

/// <summary>
/// This silo's way to the cluster's sessions (<see cref="IResumptionGrain"/>). What is written is written behind the handshake; what is looked
/// for is looked for until a deadline. While the cluster or its database is in trouble nobody waits for it: handshakes are full ones.
/// </summary>
internal sealed partial class ResumptionStore : BackgroundService
{
    /// <summary>Writers, each with a queue of its own: what is to be done with one session is done in order.</summary>
    private const int Writers = 4;

    /// <summary>Writes that wait for one writer; more are dropped, and their sessions are not resumed.</summary>
    internal const int QueueLength = 256;

    /// <summary>Lookups at once; more are not made.</summary>
    internal const int MaxLookups = 512;

    private readonly IGrainFactory _grains;
    private readonly ResumptionOptions _options;
    private readonly ResumptionMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<ResumptionStore> _logger;
    private readonly Channel<Write>[] _queues;
    private readonly Breaker _finding;
    private readonly Breaker _keeping;
    private readonly RateLimit _rate;
    private int _lookups;

    public ResumptionStore(IGrainFactory grains, IOptions<ResumptionOptions> options, ResumptionMetrics metrics, TimeProvider time, ILogger<ResumptionStore> logger)
    {
        (_grains, _options, _metrics, _time, _logger) = (grains, options.Value, metrics, time, logger);
        (_finding, _keeping, _rate) = (new Breaker(time), new Breaker(time), new RateLimit(_options.WritesPerSecond, time));
        _queues = [.. Enumerable.Range(0, Writers).Select(static _ => Channel.CreateBounded<Write>(new BoundedChannelOptions(QueueLength) { SingleReader = true }))];
    }

    /// <summary>The sealed session of an id; empty when there is none, or none in time. Never throws.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> FindAsync(ReadOnlyMemory<byte> id)
    {
        if (!_finding.IsClosed)
            return Skip();
        try
        {
            return Interlocked.Increment(ref _lookups) <= MaxLookups ? await LookUpAsync(id) : Skip();
        }
        finally
        {
            Interlocked.Decrement(ref _lookups);
        }
    }

    /// <summary>Stores a session, sooner or later; not at all when too many wait, or were stored in this second.</summary>
    public void Store(ResumptionRecord session) => Enqueue(new Write(session.Id, new StoredSession { Sealed = session.Sealed, ExpiresAt = _time.GetUtcNow() + _options.Lifetime }));

    /// <summary>Forgets a session, sooner or later; under the same limits.</summary>
    public void Remove(ReadOnlyMemory<byte> id) => Enqueue(new Write(id, null));

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(_queues.Select(queue => DrainAsync(queue.Reader, stoppingToken)));

    private async Task<ReadOnlyMemory<byte>> LookUpAsync(ReadOnlyMemory<byte> id)
    {
        using var deadline = new CancellationTokenSource(_options.LookupTime, _time);
        try
        {
            var found = await GrainOf(id).Find(deadline.Token);
            _metrics.LookedUp(found.IsEmpty ? ResumptionLookup.Unknown : ResumptionLookup.Found);
            if (_finding.Worked())
                LogFoundAgain();
            return found;
        }
        catch (Exception e)
        {
            _metrics.LookedUp(ResumptionLookup.Failed);
            if (_finding.Failed())
                LogNotFound(deadline.IsCancellationRequested ? $"no answer within {_options.LookupTime.TotalMilliseconds} ms" : e.Message);
            return default;
        }
    }

    private ReadOnlyMemory<byte> Skip()
    {
        _metrics.LookedUp(ResumptionLookup.Skipped);
        return default;
    }

    private void Enqueue(Write write)
    {
        // A storm of handshakes must not become one of writes, which the rest of the cluster's state has to get through.
        if (!_rate.TryTake() || !_queues[write.Id.Span[0] % Writers].Writer.TryWrite(write))
            _metrics.Dropped();
    }

    private async Task DrainAsync(ChannelReader<Write> queue, CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var write in queue.ReadAllAsync(stoppingToken))
                await WriteAsync(write, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops: what still waits is not resumed.
        }
    }

    private async Task WriteAsync(Write write, CancellationToken cancellationToken)
    {
        if (!_keeping.IsClosed)
        {
            _metrics.Dropped();
            return;
        }

        try
        {
            var grain = GrainOf(write.Id);
            await (write.Session is { } session ? grain.Store(session, cancellationToken) : grain.Remove(cancellationToken));
            _metrics.Written();
            if (_keeping.Worked())
                LogKeptAgain();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            if (_keeping.Failed())
                LogNotKept(e.Message);
            _metrics.Dropped();
        }
    }

    private IResumptionGrain GrainOf(ReadOnlyMemory<byte> id) => _grains.GetGrain<IResumptionGrain>(Convert.ToHexStringLower(id.Span));

    [LoggerMessage(Level = LogLevel.Warning, Message = "sessions can't be looked up, clients without a ticket shake hands in full: {Reason}")]
    private partial void LogNotFound(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "sessions are looked up again")]
    private partial void LogFoundAgain();

    [LoggerMessage(Level = LogLevel.Warning, Message = "new sessions can't be stored, their clients will shake hands in full: {Reason}")]
    private partial void LogNotKept(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "new sessions are stored again")]
    private partial void LogKeptAgain();

    /// <summary>A session to store; to remove, when it is null.</summary>
    private readonly record struct Write(ReadOnlyMemory<byte> Id, StoredSession? Session);
}
