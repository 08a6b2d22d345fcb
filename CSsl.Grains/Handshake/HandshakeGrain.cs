using System.Buffers;
using CSsl.Grains.Placement;
using CSsl.Hosting.Configuration;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using Orleans.Timers;

namespace CSsl.Grains.Handshake;

/// <summary>
/// One lane: the handshakes of many connections, one turn at a time, so that handshakes take at most as many cores as there are
/// lanes and none waits behind another for longer than a turn. Secrets leave it sealed only. It is pinned to its silo, and leaves it with the role only.
/// </summary>
[PinnedPlacement, KeepAlive]
public sealed partial class HandshakeGrain(
    IGrainContext context,
    ITimerRegistry timers,
    IServerHandshakeFactory factory,
    Sealer sealer,
    IOptions<SiloOptions> silo,
    IOptions<LimitsOptions> limits,
    HandshakeMetrics metrics,
    TimeProvider time,
    ILogger<HandshakeGrain> logger) : Grain(context), IHandshakeGrain
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<Guid, PendingHandshake> _pending = [];
    private readonly int _capacity = CapacityOf(limits.Value.ConcurrentHandshakes, silo.Value.LaneCount);
    private IGrainTimer? _sweep;
    private bool _isRetired;
    private long? _errorLoggedAt;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _sweep = timers.RegisterGrainTimer(GrainContext, static (lane, _) => lane.Sweep(), this, new(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        metrics.OpenLane();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask Open(CancellationToken cancellationToken) => ValueTask.CompletedTask; // the activation is what counts

    /// <inheritdoc/>
    public ValueTask<HandshakeAnswer> Advance(HandshakeRequest request, CancellationToken cancellationToken)
        => ValueTask.FromResult(_pending.TryGetValue(request.HandshakeId, out var pending) ? Advance(request, pending) : Begin(request));

    /// <inheritdoc/>
    public ValueTask<HandshakeAnswer> Resume(HandshakeResumption resumption, CancellationToken cancellationToken)
    {
        var id = resumption.HandshakeId;
        return ValueTask.FromResult(_pending.TryGetValue(id, out var pending)
            ? Run(id, pending, () => Resume(resumption, pending))
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
        Leave();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        foreach (var id in _pending.Keys.ToArray())
            Forget(id);
        metrics.CloseLane();
        return Task.CompletedTask;
    }

    // Connections fall on lanes at random: a lane takes a quarter more than its share, so that the silo as a whole can fill up.
    internal static int CapacityOf(int concurrentHandshakes, int lanes)
        => (int)Math.Max(1, Math.Ceiling(1.25 * concurrentHandshakes / lanes));

    private HandshakeAnswer Begin(HandshakeRequest request)
    {
        if (_isRetired || !factory.IsOpen)
        {
            // Too late: this call may have activated the lane anew.
            Leave();
            return Fail(request.HandshakeId, HandshakeFailure.RoleLost, AlertDescription.InternalError, "the lane is closed");
        }

        if (_pending.Count >= _capacity)
            return Fail(request.HandshakeId, HandshakeFailure.LaneFull, AlertDescription.InternalError, "the lane is full");
        var pending = new PendingHandshake(request.TimeLeft, time, limits.Value.HandshakeBytes, request.DataSilo);
        _pending.Add(request.HandshakeId, pending);
        if (_pending.Count == 1)
            _sweep?.Change(SweepInterval, SweepInterval);
        metrics.Begin();
        return Advance(request, pending);
    }

    private HandshakeAnswer Advance(HandshakeRequest request, PendingHandshake pending) => Run(request.HandshakeId, pending, () => Step(request, pending));

    private HandshakeAnswer Run(Guid id, PendingHandshake pending, Func<HandshakeAnswer> step)
    {
        if (pending.IsLate)
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
            LogInternalError(e);
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
                var invalidated = pending.OfferedSession;
                var failed = Fail(id, step.Failure, alert: null, step.Error ?? "the handshake failed");
                return failed with { Consumed = step.Consumed, Flight = output.WrittenMemory, InvalidatedSession = invalidated };
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

    private void Leave()
    {
        _isRetired = true;
        GrainContext.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "the silo does not have the handshake role"), CancellationToken.None);
    }

    // By a timer, and not when somebody calls: nobody calls a lane whose silo has lost the role, and what is left in it holds a drain up.
    private Task Sweep()
    {
        foreach (var id in _pending.Where(static entry => entry.Value.IsLate).Select(static entry => entry.Key).ToArray())
        {
            if (Forget(id))
                metrics.Fail(HandshakeFailure.Deadline);
        }

        if (_pending.Count == 0)
            _sweep?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        return Task.CompletedTask;
    }

    private bool Forget(Guid id)
    {
        if (!_pending.Remove(id, out var pending))
            return false;
        pending.Dispose();
        metrics.End();
        return true;
    }

    // An error of our own is worth a line, but a client that knows how to cause it must not fill the log with it.
    private void LogInternalError(Exception error)
    {
        if (_errorLoggedAt is { } at && time.GetElapsedTime(at) < SweepInterval)
            return;
        _errorLoggedAt = time.GetTimestamp();
        LogInternal(error);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "handshake {Id} failed ({Reason}): {Error}")]
    private partial void LogFailed(Guid id, HandshakeFailure reason, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "a stored session can't be used: {Reason}")]
    private partial void LogNotOpened(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "a handshake failed with an error of our own (at most one such line a second and lane)")]
    private partial void LogInternal(Exception error);
}
