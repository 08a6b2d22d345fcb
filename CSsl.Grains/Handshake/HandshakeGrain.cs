using System.Buffers;
using CSsl.Hosting.Configuration;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Placement;

namespace CSsl.Grains.Handshake;

/// <summary>
/// One lane: the handshakes of many connections, one turn at a time, so that handshakes take at most as many cores as there are
/// lanes and none waits behind another for longer than a turn. Secrets leave it sealed only.
/// </summary>
[PreferLocalPlacement]
public sealed partial class HandshakeGrain(
    IServerHandshakeFactory factory,
    Sealer sealer,
    IOptions<SiloOptions> silo,
    IOptions<LimitsOptions> limits,
    ParkedHandshakes parked,
    HandshakeMetrics metrics,
    TimeProvider time,
    ILogger<HandshakeGrain> logger) : Grain, IHandshakeGrain
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<Guid, PendingHandshake> _pending = [];
    private readonly int _capacity = CapacityOf(limits.Value.ConcurrentHandshakes, silo.Value.LaneCount);
    private DateTimeOffset _nextSweep;
    private DateTimeOffset _nextErrorLog;

    /// <inheritdoc/>
    public ValueTask<HandshakeAnswer> Advance(HandshakeRequest request, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (now >= _nextSweep)
            Sweep(now);
        return ValueTask.FromResult(Advance(request, now));
    }

    /// <inheritdoc/>
    public ValueTask<HandshakeAnswer> Resume(HandshakeResumption resumption, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var id = resumption.HandshakeId;
        return ValueTask.FromResult(Find(id) is { } pending
            ? Run(id, pending, now, () => Resume(resumption, pending))
            : Fail(id, HandshakeFailure.Deadline, alert: null, "the handshake took too long"));
    }

    /// <inheritdoc/>
    public ValueTask Abandon(Guid handshakeId, CancellationToken cancellationToken)
    {
        if (Forget(handshakeId))
            metrics.Fail(HandshakeFailure.Abandoned);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask Retire(CancellationToken cancellationToken)
    {
        DeactivateOnIdle();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (reason.ReasonCode is not (DeactivationReasonCode.ApplicationRequested or DeactivationReasonCode.ShuttingDown))
        {
            // Not retired: the lane will be back with the next call.
            foreach (var (id, pending) in _pending)
                parked.Park(id, pending);
            _pending.Clear();
        }

        foreach (var id in _pending.Keys.ToArray())
            Forget(id);
        return Task.CompletedTask;
    }

    // Connections fall on lanes at random: a lane takes a quarter more than its share, so that the silo as a whole can fill up.
    internal static int CapacityOf(int concurrentHandshakes, int lanes)
        => (int)Math.Max(1, Math.Ceiling(1.25 * concurrentHandshakes / lanes));

    private HandshakeAnswer Advance(HandshakeRequest request, DateTimeOffset now)
    {
        if (Find(request.HandshakeId) is not { } pending)
        {
            if (_pending.Count >= _capacity)
                return Fail(request.HandshakeId, HandshakeFailure.LaneFull, AlertDescription.InternalError, "the lane is full");
            pending = new PendingHandshake(request.Deadline, limits.Value.HandshakeBytes);
            _pending.Add(request.HandshakeId, pending);
            metrics.Begin();
        }

        return Run(request.HandshakeId, pending, now, () => Step(request, pending));
    }

    private HandshakeAnswer Run(Guid id, PendingHandshake pending, DateTimeOffset now, Func<HandshakeAnswer> step)
    {
        if (now >= pending.Deadline)
            return Fail(id, HandshakeFailure.Deadline, AlertFor(pending, AlertDescription.HandshakeFailure), "the handshake took too long");

        try
        {
            return step();
        }
        catch (TlsException e)
        {
            return Fail(id, e.Alert == AlertDescription.ProtocolVersion ? HandshakeFailure.NoSharedVersion : HandshakeFailure.Malformed, AlertFor(pending, e.Alert), e.Message);
        }
        catch (Exception e)
        {
            LogInternalError(e, now);
            return Fail(id, HandshakeFailure.Internal, AlertFor(pending, AlertDescription.InternalError), $"internal error: {e.Message}");
        }
    }

    private HandshakeAnswer Step(HandshakeRequest request, PendingHandshake pending)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        return Answer(request.HandshakeId, pending, pending.Advance(request.Records, factory, output), output);
    }

    private HandshakeAnswer Resume(HandshakeResumption resumption, PendingHandshake pending)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        using var stored = Open(resumption.Session.Span, pending.WantedSession.Span);
        return Answer(resumption.HandshakeId, pending, pending.Resume(stored.Span, factory, output), output);
    }

    private HandshakeAnswer Answer(Guid id, PendingHandshake pending, HandshakeStep step, ArrayBufferWriter<byte> output)
    {
        var answer = new HandshakeAnswer { Consumed = step.Consumed, Flight = output.WrittenMemory };
        switch (step.Status)
        {
            case HandshakeStatus.NeedMore:
                return answer with { WantedSession = pending.WantedSession };
            case HandshakeStatus.Complete:
                answer = answer with { Resumption = Keep(pending), Established = Establish(pending) };
                Forget(id);
                return answer;
            default:
                // The handshake wrote its own alert.
                var spoiled = pending.OfferedSession;
                var failed = Fail(id, step.Failure, alert: null, step.Error ?? "the handshake failed");
                return failed with { Consumed = step.Consumed, Flight = output.WrittenMemory, SpoiledSession = spoiled };
        }
    }

    private SecretBytes Open(ReadOnlySpan<byte> session, ReadOnlySpan<byte> id)
    {
        try
        {
            return session.IsEmpty ? SecretBytes.Empty : sealer.Open(ResumableSession.Purpose, session, id);
        }
        catch (SealedSessionException e)
        {
            // Sealed under a key that is gone: the client shakes hands in full.
            LogNotOpened(e.Message);
            return SecretBytes.Empty;
        }
    }

    private ResumptionRecord? Keep(PendingHandshake pending)
    {
        using var made = pending.TakeResumable();
        return made is null ? null : new ResumptionRecord { Id = made.Id, Sealed = sealer.Seal(ResumableSession.Purpose, made.Content, made.Id) };
    }

    private EstablishedSession Establish(PendingHandshake pending)
    {
        using var session = pending.Export();
        var sessionId = Guid.NewGuid();
        metrics.Complete(session.Version, session.CipherSuite, pending.Group, session.Resumed);
        return new EstablishedSession
        {
            SessionId = sessionId,
            ClientSequence = session.ClientSequence,
            ServerSequence = session.ServerSequence,
            Version = session.Version,
            CipherSuite = session.CipherSuite,
            Resumed = session.Resumed,
            ApplicationProtocol = session.ApplicationProtocol,
            ServerName = session.ServerName,
            Group = pending.Group,
            // Last: it consumes the session.
            Capsule = sealer.Seal(session, sessionId),
        };
    }

    private static AlertDescription? AlertFor(PendingHandshake pending, AlertDescription alert) => pending.HasStarted ? null : alert;

    private HandshakeAnswer Fail(Guid id, HandshakeFailure reason, AlertDescription? alert, string error)
    {
        Forget(id);
        metrics.Fail(reason);
        LogFailed(id, reason, error);
        return new HandshakeAnswer { Consumed = 0, Flight = alert is { } known ? Alert.Of(known).ToPlaintextRecord() : default(ReadOnlyMemory<byte>), Error = error, Failure = reason };
    }

    private PendingHandshake? Find(Guid id)
    {
        if (_pending.TryGetValue(id, out var pending))
            return pending;
        if (parked.Take(id) is { } taken)
            _pending.Add(id, pending = taken);
        return pending;
    }

    // Connections whose end nobody told us: the gateway's own deadline makes them rare, so that a look a second is enough.
    private void Sweep(DateTimeOffset now)
    {
        _nextSweep = now + SweepInterval;
        foreach (var id in _pending.Where(entry => now >= entry.Value.Deadline).Select(static entry => entry.Key).Concat(parked.Late(now)))
        {
            if (Forget(id))
                metrics.Fail(HandshakeFailure.Deadline);
        }
    }

    private bool Forget(Guid id)
    {
        if (!_pending.Remove(id, out var pending) && (pending = parked.Take(id)) is null)
            return false;
        pending.Dispose();
        metrics.End();
        return true;
    }

    // An error of our own is worth a line, but a client that knows how to cause it must not fill the log with it.
    private void LogInternalError(Exception error, DateTimeOffset now)
    {
        if (now < _nextErrorLog)
            return;
        _nextErrorLog = now + SweepInterval;
        LogInternal(error);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "handshake {Id} failed ({Reason}): {Error}")]
    private partial void LogFailed(Guid id, HandshakeFailure reason, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "a stored session can't be used: {Reason}")]
    private partial void LogNotOpened(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "a handshake failed with an error of our own (at most one such line a second and lane)")]
    private partial void LogInternal(Exception error);
}
