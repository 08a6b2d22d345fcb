namespace CSsl.Tls.Records;

/// <summary>Bounds what a client can make us do without sending data: each kind of record that costs work and carries none is counted.</summary>
internal sealed class RecordFloodGuard
{
    /// <summary>Empty application data records in a row.</summary>
    internal const int MaxEmptyRecords = 32;

    /// <summary>KeyUpdates without data between them.</summary>
    internal const int MaxKeyUpdates = 32;

    /// <summary>Warning alerts without data between them.</summary>
    internal const int MaxWarnings = 8;

    /// <summary>Renegotiation requests in the life of a connection: GnuTLS repeats a refused one 17 times.</summary>
    internal const int MaxRenegotiationRequests = 32;

    private int _emptyRecords;
    private int _keyUpdates;
    private int _warnings;
    private int _renegotiationRequests;

    public void OnApplicationData(int length)
    {
        if (length == 0)
        {
            Count(ref _emptyRecords, MaxEmptyRecords, AlertDescription.UnexpectedMessage, "Too many empty records in a row.");
            return;
        }

        _emptyRecords = 0;
        _keyUpdates = 0;
        _warnings = 0;
    }

    public void OnKeyUpdate() => Count(ref _keyUpdates, MaxKeyUpdates, AlertDescription.UnexpectedMessage, "Too many KeyUpdates without data.");

    public void OnWarning() => Count(ref _warnings, MaxWarnings, AlertDescription.UnexpectedMessage, "Too many warning alerts without data.");

    public void OnRenegotiationRequest() => Count(ref _renegotiationRequests, MaxRenegotiationRequests, AlertDescription.HandshakeFailure, "Too many renegotiation requests.");

    private static void Count(ref int count, int limit, AlertDescription alert, string message)
    {
        if (++count > limit)
            throw new TlsException(alert, message);
    }
}
