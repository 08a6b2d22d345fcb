namespace CSsl.Gateway.Admission;

/// <summary>
/// How many handshakes this gateway has under way at once: as many as the handshake silos answer promptly. More would not be done sooner, they
/// would only wait there, where they cost more than here.
/// </summary>
/// <remarks>By Little's law what is under way is rate times time: where a step takes three times as long as it should, a third of it gives the
/// same rate. Several gateways come down together, each by its own share.</remarks>
internal sealed class AdaptiveLimit
{
    /// <summary>Seconds that a handshake's step should take at a silo: some lanes' turns more than it needs.</summary>
    public const double TargetTime = 0.05;

    /// <summary>Enough to keep a silo busy while the clients' round trips take their time.</summary>
    public const int LeastPerSilo = 64;

    private const double Growth = 1.5;

    private readonly int _most;
    private int _current;

    /// <param name="most">The limit while nothing is slow, and the upper bound.</param>
    public AdaptiveLimit(int most) => _most = _current = most;

    /// <summary>Handshakes at once.</summary>
    public int Current => Volatile.Read(ref _current);

    /// <summary>Takes what the handshake silos report. Called twice a second, by one caller at a time.</summary>
    /// <param name="stepTime">The mean time of a handshake's step there, in seconds.</param>
    /// <param name="silos">How many there are.</param>
    /// <param name="underWay">Handshakes that this gateway has under way.</param>
    public void Observe(double stepTime, int silos, int underWay)
    {
        var least = Math.Min(_most, LeastPerSilo * Math.Max(1, silos));
        var next = stepTime > TargetTime
            ? Math.Min(_current, underWay) * TargetTime / stepTime
            : _current * Growth;
        Volatile.Write(ref _current, (int)Math.Clamp(next, least, _most));
    }
}
