namespace CSsl.EmbeddedCluster.Wire;

/// <summary>
/// Takes each nonce once, and only near its time. Nonces are remembered for as long as their time would be accepted;
/// only messages with a valid MAC get here, so that nobody else can fill it.
/// </summary>
internal sealed class ReplayWindow(TimeProvider time)
{
    /// <summary>How far a message's time may be off: processes of one machine share a clock.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(10);

    /// <summary>Nonces per period; past it messages are refused rather than forgotten.</summary>
    public const int Capacity = 1 << 20;

    private readonly Lock _gate = new();
    private HashSet<Guid> _now = [];
    private HashSet<Guid> _before = [];
    private DateTimeOffset _rotated = time.GetUtcNow();

    /// <summary>False for a message that is too old, from the future, or seen already.</summary>
    public bool TryTake(long unixMilliseconds, Guid nonce)
    {
        var now = time.GetUtcNow();
        if (Math.Abs(now.ToUnixTimeMilliseconds() - unixMilliseconds) > Tolerance.TotalMilliseconds)
            return false;
        lock (_gate)
        {
            // A time is accepted from Tolerance before it until Tolerance after: two periods of that length cover it.
            if (now - _rotated >= 2 * Tolerance)
            {
                (_before, _now) = (_now, []);
                _rotated = now;
            }
            return _now.Count < Capacity && !_before.Contains(nonce) && _now.Add(nonce);
        }
    }
}
