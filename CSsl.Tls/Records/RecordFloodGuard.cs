namespace CSsl.Tls.Records;

/// <summary>
/// Bounds what a client can make us do that serves nobody: records that cost work and carry no data. Their cost is taken from a budget that refills
/// with time, so what counts is work per second, not how the records are mixed with data.
/// </summary>
/// <remarks>
/// Data pays for one such record beside it. A client past its key's limit sends a KeyUpdate with each record that it gets, until it has seen the answer behind
/// all that is under way to it (Java: <c>jdk.tls.keyLimits</c>): to seal and send such a record cost us more than its KeyUpdate. What a client
/// sends pays for little, because a byte is as good as a record.
/// </remarks>
/// <param name="time">Its timestamps refill the budget.</param>
internal sealed class RecordFloodGuard(TimeProvider time)
{
    /// <summary>The whole budget, in microseconds of our CPU: 4,000 KeyUpdates at once.</summary>
    internal const int Budget = 200_000;

    /// <summary>What comes back in a second: 2 % of a core, 400 KeyUpdates.</summary>
    internal const int RefillPerSecond = 20_000;

    /// <summary>What a KeyUpdate costs: new keys, and perhaps an answer.</summary>
    internal const int KeyUpdateCost = 50;

    /// <summary>What an empty record or a warning costs.</summary>
    internal const int IdleRecordCost = 5;

    /// <summary>Renegotiation requests in the life of a connection: GnuTLS repeats a refused one 17 times.</summary>
    internal const int MaxRenegotiationRequests = 32;

    private double _budget = Budget;
    private long _refilledAt = time.GetTimestamp();
    private ulong _recordsSent;
    private int _renegotiationRequests;

    public void OnApplicationData(int length)
    {
        if (length == 0)
            Spend(IdleRecordCost, "empty records");
        else
            Earn(IdleRecordCost);
    }

    /// <param name="recordsSent">Records with data that we have sealed in all.</param>
    public void OnKeyUpdate(ulong recordsSent)
    {
        if (recordsSent > _recordsSent)
        {
            Earn((recordsSent - _recordsSent) * (double)KeyUpdateCost);
            _recordsSent = recordsSent;
        }

        Spend(KeyUpdateCost, "KeyUpdates");
    }

    public void OnWarning() => Spend(IdleRecordCost, "warning alerts");

    public void OnRenegotiationRequest()
    {
        if (++_renegotiationRequests > MaxRenegotiationRequests)
            throw new TlsException(AlertDescription.HandshakeFailure, "Too many renegotiation requests.");
    }

    private void Earn(double microseconds) => _budget = Math.Min(Budget, _budget + microseconds);

    private void Spend(int microseconds, string what)
    {
        var now = time.GetTimestamp();
        Earn(time.GetElapsedTime(_refilledAt, now).TotalSeconds * RefillPerSecond);
        _refilledAt = now;
        _budget -= microseconds;
        if (_budget < 0)
            throw new TlsException(AlertDescription.UnexpectedMessage, $"Too many {what} for the time and the data between them.");
    }
}
