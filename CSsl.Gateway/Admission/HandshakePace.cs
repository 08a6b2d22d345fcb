namespace CSsl.Gateway.Admission;

/// <summary>
/// How many handshakes this gateway begins per second: as many as come, unless there is no CPU left for what is established. Then fewer,
/// until there is, but never fewer than a least rate. Not thread-safe: <see cref="HandshakeQueue"/> is its lock.
/// </summary>
/// <remarks>A new connection costs as much CPU as some hundred kilobytes of an old one, at the gateway and at the data silo that serves it. Work
/// is done in the order of its arrival, so a storm would take from downloads as much as it wants.</remarks>
/// <param name="time">The clock.</param>
internal sealed class HandshakePace(TimeProvider time)
{
    private const double Decrease = 0.7;
    private const double Growth = 1.2;

    /// <summary>Times what begins: a pace that high holds nobody back.</summary>
    private const double Unneeded = 4;

    /// <summary>What may begin at once after a pause, in seconds of the pace.</summary>
    private const double Burst = 0.1;

    private double _tokens;
    private long _filledAt;
    private long _observedAt = time.GetTimestamp();
    private int _begun;

    /// <summary>Handshakes per second; infinite: as many as come.</summary>
    public double Rate { get; private set; } = double.PositiveInfinity;

    /// <summary>One more begins; false: not yet.</summary>
    public bool TryTake()
    {
        if (double.IsFinite(Rate))
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(Math.Max(1, Rate * Burst), _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * Rate));
            _filledAt = now;
            if (_tokens < 1)
                return false;
            _tokens--;
        }

        _begun++;
        return true;
    }

    /// <summary>Takes what the CPU is like. Called about twice a second.</summary>
    /// <param name="isFull">There is none left.</param>
    /// <param name="least">Handshakes per second that begin all the same; infinite: all.</param>
    public void Observe(bool isFull, double least)
    {
        var now = time.GetTimestamp();
        var seconds = time.GetElapsedTime(_observedAt, now).TotalSeconds;
        if (seconds <= 0)
            return;

        var begun = _begun / seconds;
        (_observedAt, _begun) = (now, 0);
        if (isFull)
            Rate = Math.Max(least, Math.Min(Rate, begun) * Decrease);
        else if ((Rate *= Growth) > Unneeded * Math.Max(begun, 1))
            Rate = double.PositiveInfinity;
    }
}
