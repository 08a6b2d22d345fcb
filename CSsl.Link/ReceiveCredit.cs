namespace CSsl.Link;

/// <summary>
/// One channel's credit as the receiver of records keeps it. The read loop takes, any thread returns.
/// Returned bytes become a Window frame once they are a quarter of the grant. Less than that can wait without harm: when nothing is held
/// at this end, the peer still has three quarters of its credit, and while something is held, its return is to come.
/// </summary>
internal struct ReceiveCredit(int grant)
{
    private readonly int _grant = grant;

    // High half: what the peer may still send, as far as Window frames have told it; negative after an overshoot.
    // Low half: bytes returned that no Window frame has told yet. In one word, so that their sum can be checked.
    private long _state = Pack(grant, 0);

    /// <summary>Records of <paramref name="bytes"/> bytes arrived. False: the peer had no credit for them.</summary>
    /// <remarks>The peer's own count is never above this one, which grows before the Window frame is queued. So what it may send by its
    /// count it may send by this one: with any credit left, as much as the credit, or one whole record.</remarks>
    public bool TryTake(int bytes)
    {
        var left = Left(Volatile.Read(ref _state));
        if (left <= 0 || bytes > Math.Max(left, LinkChannel.MinimumRoom))
            return false;
        Interlocked.Add(ref _state, Pack(-bytes, 0));
        return true;
    }

    /// <summary>Notes that received bytes are gone; returns what to put in a Window frame now, or 0.</summary>
    /// <exception cref="InvalidOperationException">More came back than was received.</exception>
    public int Return(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _grant + LinkChannel.MinimumRoom);
        var state = Interlocked.Add(ref _state, bytes);
        if (Left(state) + (long)Returned(state) > _grant)
            throw new InvalidOperationException("A channel returned more credit than it had received bytes.");
        while (Returned(state) > 0 && Returned(state) >= _grant / 4)
        {
            var returned = Returned(state);
            var seen = Interlocked.CompareExchange(ref _state, Pack(Left(state) + returned, 0), state);
            if (seen == state)
                return returned;
            state = seen;
        }

        return 0;
    }

    private static long Pack(int left, int returned) => ((long)left << 32) + returned;

    private static int Left(long state) => (int)(state >> 32);

    private static int Returned(long state) => (int)state;
}
