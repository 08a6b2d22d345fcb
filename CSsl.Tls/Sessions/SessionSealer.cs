namespace CSsl.Tls.Sessions;

/// <summary>Seals sessions under the newest key of a ring and opens them under any of it. Thread-safe.</summary>
public sealed class SessionSealer : IDisposable
{
    /// <param name="ring">Takes ownership.</param>
    public SessionSealer(ClusterKeyRing ring) => throw new NotImplementedException();

    /// <summary>Consumes <paramref name="session"/>: it is disposed whatever happens.</summary>
    /// <param name="session">The session to seal.</param>
    /// <param name="sessionId">Bound to the capsule: it opens under this id only.</param>
    public SealedSession Seal(ExportedSession session, Guid sessionId) => throw new NotImplementedException();

    /// <exception cref="SealedSessionException">Unknown key id, not authentic, another session's, or an unknown codec version.</exception>
    public ExportedSession Open(ReadOnlySpan<byte> capsule, Guid sessionId) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}

/// <summary>A capsule that can't be opened here.</summary>
public sealed class SealedSessionException(string message) : Exception(message);
