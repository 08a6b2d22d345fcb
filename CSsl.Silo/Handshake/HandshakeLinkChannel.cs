using CSsl.Grains.Handshake;
using CSsl.Link;
using CSsl.Tls.Handshake;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Handshake;

/// <summary>
/// One handshake on a data link, in lock-step: a Handshake frame becomes a turn of the connection's lane, whose answer leaves in that turn as a Flight or
/// Established frame. Nothing of the handshake is kept here.
/// </summary>
internal sealed partial class HandshakeLinkChannel(HandshakeLanes lanes, ResumptionStore sessions, TimeSpan handshakeTime, TimeProvider time, ILogger<HandshakeLinkChannel> logger) : LinkChannel
{
    private readonly Lock _gate = new();
    private Guid _handshakeId;
    private string? _dataSilo;
    private long _startedAt;
    private TimeSpan? _limit;

    // The step under way: what the client sent, and when it came. Written before the step is posted.
    private byte[] _records = [];
    private long _stepBeganAt;
    private IHandshakeLane? _lane;
    private ReadOnlyMemory<byte> _session;
    private bool _busy;
    private bool _begun;
    private bool _gone;

    protected override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.HandshakeStart when _limit is null:
                var start = HandshakeStart.Decode(payload);
                _handshakeId = Guid.NewGuid();
                _dataSilo = start.DataSilo;
                _startedAt = time.GetTimestamp();
                _limit = TimeSpan.FromMilliseconds(Math.Clamp(start.DeadlineMilliseconds, 0, handshakeTime.TotalMilliseconds));
                break;
            case FrameKind.Handshake when _limit is not null:
                Begin(payload.ToArray());
                break;
            case FrameKind.Close:
                Release();
                OnGone();
                break;
            default:
                throw new LinkException($"A {kind} frame is not expected here.");
        }
    }

    protected override void OnLinkLost(Exception reason) => OnGone();

    private void Begin(byte[] records)
    {
        lock (_gate)
        {
            if (_busy)
                throw new LinkException("A Handshake frame came before the answer to the one before it.");
            _busy = true;
            _begun = true;
        }

        (_records, _stepBeganAt) = (records, time.GetTimestamp());
        lanes.Metrics.BeginStep();
        _lane ??= lanes.Of(_handshakeId);
        if (_lane is { } lane)
            PostStep(lane);
        else
            _ = OpenLaneAsync();
    }

    /// <summary>The first handshakes of a role may come before its lanes are active.</summary>
    private async Task OpenLaneAsync()
    {
        try
        {
            _lane = await lanes.OpenAsync(_handshakeId);
        }
        catch (Exception e)
        {
            LogLaneFailed(e);
        }

        if (_lane is { } lane)
            PostStep(lane);
        else
            Answer(new HandshakeAnswer { Error = "the lane can't be reached", Failure = HandshakeFailure.Internal });
    }

    private void PostStep(IHandshakeLane lane) => lane.Post(static channel => ((HandshakeLinkChannel)channel!).Advance(), this);

    private void Advance()
    {
        var answer = _lane!.Advance(new HandshakeRequest(_handshakeId, _limit!.Value - time.GetElapsedTime(_startedAt), _dataSilo, _records));
        if (answer.WantedSession.IsEmpty)
            Answer(answer);
        else
            _ = ResumeAsync(answer.WantedSession);
    }

    private async Task ResumeAsync(ReadOnlyMemory<byte> wanted)
    {
        _session = await sessions.FindAsync(wanted);
        _lane!.Post(static channel => ((HandshakeLinkChannel)channel!).Resume(), this);
    }

    private void Resume() => Answer(_lane!.Resume(_handshakeId, _session));

    // In the lane's turn: what it wrote is only there until that is over.
    private void Answer(in HandshakeAnswer answer)
    {
        lanes.Metrics.EndStep(time.GetElapsedTime(_stepBeganAt));
        if (answer.Resumption is { } made)
            sessions.Store(made);
        if (!answer.InvalidatedSession.IsEmpty)
            sessions.Remove(answer.InvalidatedSession);

        var over = answer.Error is not null || answer.Established is not null;
        lock (_gate)
        {
            _busy = false;
            _begun &= !over;
            if (_gone)
            {
                if (_begun)
                    Abandon();
                return;
            }
        }

        try
        {
            Reply(answer);
        }
        catch (ArgumentException e)
        {
            // More than a frame holds.
            LogNoReply(e);
            Close(CloseReason.Aborted);
        }
    }

    private void Reply(in HandshakeAnswer answer)
    {
        if (answer.Established is { } established)
        {
            Send(FrameKind.Established, established.Encode());
            Release();
            return;
        }

        Send(FrameKind.Flight, new Flight(answer.Consumed, answer.Failure, answer.Error ?? "", answer.Flight.Span).Encode());
        if (answer.Failure != HandshakeFailure.None)
            Close(CloseReason.ProtocolError);
    }

    private void Close(CloseReason reason)
    {
        Send(FrameKind.Close, [(byte)reason]);
        Release();
    }

    // A step under way finds out when it answers.
    private void OnGone()
    {
        lock (_gate)
        {
            _gone = true;
            if (_begun && !_busy)
                Abandon();
        }
    }

    private void Abandon()
    {
        _begun = false;
        _lane!.Post(static channel => ((HandshakeLinkChannel)channel!).Forget(), this);
    }

    private void Forget() => _lane!.Abandon(_handshakeId);

    [LoggerMessage(Level = LogLevel.Error, Message = "a handshake's answer can't be sent")]
    private partial void LogNoReply(Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a handshake lane can't be reached")]
    private partial void LogLaneFailed(Exception error);
}
