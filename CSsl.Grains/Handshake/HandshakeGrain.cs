using System.Buffers;
using CSsl.Grains.Placement;
using CSsl.Hosting.Configuration;
using CSsl.Link;
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
/// A handshake's steps are turns of the grain, but no calls: a call costs more than anything in a step but the cryptography (ADR 18).
/// </summary>
[PinnedPlacement, KeepAlive]
public sealed partial class HandshakeGrain(
    IGrainContext context,
    ITimerRegistry timers,
    IServerHandshakeFactory factory,
    Sealer sealer,
    IOptions<SiloOptions> silo,
    IOptions<LimitsOptions> limits,
    HandshakeLanes lanes,
    TimeProvider time,
    ILogger<HandshakeGrain> logger) : Grain(context), IHandshakeGrain, IHandshakeLane
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<Guid, PendingHandshake> _pending = [];
    private readonly int _capacity = CapacityOf(limits.Value.ConcurrentHandshakes, silo.Value.LaneCount);
    private readonly HandshakeMetrics _metrics = lanes.Metrics;

    // What a step writes: one step at a time, and each is answered before the next.
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private TaskScheduler? _turns;
    private IGrainTimer? _sweep;
    private bool _isRetired;
    private long? _errorLoggedAt;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _sweep = timers.RegisterGrainTimer(GrainContext, static (lane, _) => lane.Sweep(), this, new(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _turns = TaskScheduler.Current;
        lanes.Enter(this.GetPrimaryKeyString(), this);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask Open(CancellationToken cancellationToken) => ValueTask.CompletedTask; // the activation is what counts

    /// <inheritdoc/>
    public void Post(Action<object?> turn, object state) => Task.Factory.StartNew(turn, state, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _turns!);

    /// <inheritdoc/>
    public HandshakeAnswer Advance(in HandshakeRequest request)
        => _pending.TryGetValue(request.HandshakeId, out var pending) ? Run(request.HandshakeId, pending, request.Records, isStored: false) : Begin(request);

    /// <inheritdoc/>
    public HandshakeAnswer Resume(Guid handshakeId, ReadOnlyMemory<byte> session) => _pending.TryGetValue(handshakeId, out var pending)
        ? Run(handshakeId, pending, session, isStored: true)
        : Fail(handshakeId, HandshakeFailure.Deadline, alert: null, "the handshake took too long");

    /// <inheritdoc/>
    public void Abandon(Guid handshakeId)
    {
        if (Forget(handshakeId))
            _metrics.Fail(HandshakeFailure.Abandoned);
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
        // A turn that was posted before may come after.
        _isRetired = true;
        foreach (var id in _pending.Keys.ToArray())
            Forget(id);
        lanes.Leave(this.GetPrimaryKeyString(), this);
        return Task.CompletedTask;
    }

    // Connections fall on lanes at random: a lane takes a quarter more than its share, so that the silo as a whole can fill up.
    internal static int CapacityOf(int concurrentHandshakes, int lanes)
        => (int)Math.Max(1, Math.Ceiling(1.25 * concurrentHandshakes / lanes));

    private HandshakeAnswer Begin(in HandshakeRequest request)
    {
        if (_isRetired || !factory.IsOpen)
        {
            // Too late: whoever asks may have activated the lane anew.
            Leave();
            return Fail(request.HandshakeId, HandshakeFailure.RoleLost, AlertDescription.InternalError, "the lane is closed");
        }

        if (_pending.Count >= _capacity)
            return Fail(request.HandshakeId, HandshakeFailure.LaneFull, AlertDescription.InternalError, "the lane is full");
        var pending = new PendingHandshake(request.TimeLeft, time, limits.Value.HandshakeBytes, request.DataSilo);
        _pending.Add(request.HandshakeId, pending);
        if (_pending.Count == 1)
            _sweep?.Change(SweepInterval, SweepInterval);
        _metrics.Begin();
        return Run(request.HandshakeId, pending, request.Records, isStored: false);
    }

    /// <param name="id">The handshake.</param>
    /// <param name="pending">It.</param>
    /// <param name="input">Records of its client, or the session that it waited for.</param>
    /// <param name="isStored">The session.</param>
    private HandshakeAnswer Run(Guid id, PendingHandshake pending, ReadOnlyMemory<byte> input, bool isStored)
    {
        if (pending.IsLate)
            return Fail(id, HandshakeFailure.Deadline, AlertFor(pending, AlertDescription.HandshakeFailure), "the handshake took too long");

        try
        {
            _output.ResetWrittenCount();
            return Answer(id, pending, isStored ? Resume(pending, input.Span) : pending.Advance(input, factory, _output));
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

    private HandshakeStep Resume(PendingHandshake pending, ReadOnlySpan<byte> session)
    {
        using var stored = Open(session, pending.WantedSession.Span);
        return pending.Resume(stored.Span, factory, _output);
    }

    private HandshakeAnswer Answer(Guid id, PendingHandshake pending, HandshakeStep step)
    {
        switch (step.Status)
        {
            case HandshakeStatus.NeedMore:
                return new HandshakeAnswer { Consumed = step.Consumed, Flight = _output.WrittenMemory, WantedSession = pending.WantedSession };
            case HandshakeStatus.Complete:
                var answer = new HandshakeAnswer { Consumed = step.Consumed, Flight = _output.WrittenMemory, Resumption = Keep(pending), Established = Establish(pending, step.Consumed) };
                Forget(id);
                return answer;
            default:
                // The handshake wrote its own alert.
                var invalidated = pending.OfferedSession;
                var failed = Fail(id, step.Failure, alert: null, step.Error ?? "the handshake failed");
                return failed with { Consumed = step.Consumed, Flight = _output.WrittenMemory, InvalidatedSession = invalidated };
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

    private Established Establish(PendingHandshake pending, int consumed)
    {
        using var session = pending.Export();
        var sessionId = Guid.NewGuid();
        _metrics.Complete(session.Version, session.CipherSuite, pending.Group, session.Resumed);
        return new Established
        {
            Consumed = consumed,
            SessionId = sessionId,
            ClientSequence = session.ClientSequence,
            ServerSequence = session.ServerSequence,
            Version = session.Version,
            CipherSuite = session.CipherSuite,
            Resumed = session.Resumed,
            ApplicationProtocol = session.ApplicationProtocol,
            ServerName = session.ServerName,
            Group = pending.Group,
            Records = _output.WrittenMemory,
            // Last: it consumes the session.
            Capsule = sealer.Seal(session, sessionId),
        };
    }

    private static AlertDescription? AlertFor(PendingHandshake pending, AlertDescription alert) => pending.HasStarted ? null : alert;

    private HandshakeAnswer Fail(Guid id, HandshakeFailure reason, AlertDescription? alert, string error)
    {
        Forget(id);
        _metrics.Fail(reason);
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
                _metrics.Fail(HandshakeFailure.Deadline);
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
        _metrics.End();
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
