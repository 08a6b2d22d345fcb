using System.Buffers.Binary;

namespace CSsl.Link;

/// <summary>Sends pings and counts the peer's silence. A ping is a time stamp (u64, the sender's own clock) and the sender's load; a pong is the time stamp.</summary>
/// <remarks>
/// Silence is counted in this end's own ticks, each for at most one interval, and never while the read loop has work in hand: an end that was
/// suspended or starved does not take its own lateness for the peer's. After a late tick the peer has one more interval to be heard.
/// </remarks>
internal sealed class LinkHeartbeat : IDisposable
{
    public const int MaxLoadLength = 256;

    private readonly DataLink _link;
    private readonly LinkSender _sender;
    private readonly LinkReceiver _receiver;
    private readonly LinkOptions _options;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly ITimer _timer;
    private readonly Lock _ticking = new();
    private long _lastTick;
    private long _receivesSeen;
    private TimeSpan _silence;
    private long _roundTripTicks;

    public LinkHeartbeat(DataLink link, LinkSender sender, LinkReceiver receiver, LinkOptions options, TimeProvider time)
    {
        (_link, _sender, _receiver, _options, _time) = (link, sender, receiver, options, time);
        _startedAt = _lastTick = time.GetTimestamp();
        _timer = time.CreateTimer(static heartbeat => ((LinkHeartbeat)heartbeat!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Of the last ping that was answered.</summary>
    public TimeSpan RoundTrip => new(Volatile.Read(ref _roundTripTicks));

    public void Start()
    {
        _timer.Change(_options.PingInterval, _options.PingInterval);
        SendPing();
    }

    /// <exception cref="LinkException">Not a pong to any ping of this link.</exception>
    public void OnPong(ReadOnlySpan<byte> payload)
    {
        var now = _time.GetTimestamp();
        var sentAt = payload.Length == sizeof(long) ? BinaryPrimitives.ReadInt64LittleEndian(payload) : long.MaxValue;
        if (sentAt < _startedAt || sentAt > now)
            throw new LinkException("The peer answered a ping that was never sent.");
        Volatile.Write(ref _roundTripTicks, _time.GetElapsedTime(sentAt, now).Ticks);
    }

    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        // A tick that comes while another is under way has nothing to add.
        if (!_ticking.TryEnter())
            return;
        try
        {
            if (IsPeerGone())
                _link.Lose(new LinkException($"The peer was silent for {_silence.TotalMilliseconds:0} ms."));
            else
                SendPing();
        }
        finally
        {
            _ticking.Exit();
        }
    }

    private bool IsPeerGone()
    {
        var now = _time.GetTimestamp();
        var sinceLastTick = _time.GetElapsedTime(_lastTick, now);
        _lastTick = now;
        var receives = _receiver.Receives;
        if (receives != _receivesSeen || !_receiver.IsReading)
        {
            _receivesSeen = receives;
            _silence = TimeSpan.Zero;
            return false;
        }

        _silence += sinceLastTick < _options.PingInterval ? sinceLastTick : _options.PingInterval;

        // To the nearest tick: timers run a little fast at times, and six of 249 ms are 1.5 s, not a reason to wait for a seventh.
        return _silence + (_options.PingInterval / 2) >= _options.PeerTimeout && sinceLastTick < 2 * _options.PingInterval;
    }

    private void SendPing()
    {
        var load = _link.Load.Span;
        Span<byte> ping = stackalloc byte[sizeof(long) + MaxLoadLength];
        BinaryPrimitives.WriteInt64LittleEndian(ping, _time.GetTimestamp());
        load.CopyTo(ping[sizeof(long)..]);
        _sender.Send(FrameKind.Ping, 0, ping[..(sizeof(long) + load.Length)]);
    }
}
