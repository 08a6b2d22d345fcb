namespace CSsl.Tls.Sessions;

/// <summary>Seals sessions under the newest key of a ring and opens them under any of it. Thread-safe.</summary>
/// <remarks>A capsule is a <see cref="SealedBox"/> around the session's <see cref="ExportedSessionCodec"/> form, bound to the session id.</remarks>
public sealed class SessionSealer : IDisposable
{
    private const int SessionIdLength = 16;

    private readonly SharedKeyRing _keys;
    private readonly bool _ownsKeys;

    /// <param name="ring">Takes ownership.</param>
    public SessionSealer(ClusterKeyRing ring)
        : this(new SharedKeyRing(ring)) => _ownsKeys = true;

    /// <param name="keys">Stay the caller's.</param>
    public SessionSealer(SharedKeyRing keys) => _keys = keys;

    private static ReadOnlySpan<byte> Label => "c-ssl capsule 1"u8;

    /// <summary>Consumes <paramref name="session"/>: it is disposed whatever happens.</summary>
    /// <param name="session">The session to seal.</param>
    /// <param name="sessionId">Bound to the capsule: it opens under this id only.</param>
    /// <exception cref="ArgumentException">The session is not one that <see cref="ExportedSessionCodec"/> can encode.</exception>
    public SealedSession Seal(ExportedSession session, Guid sessionId)
    {
        ArgumentNullException.ThrowIfNull(session);
        using (session)
        {
            using var encoded = ExportedSessionCodec.Encode(session);
            Span<byte> id = stackalloc byte[SessionIdLength];
            using var borrowed = _keys.Borrow();
            return new SealedSession(SealedBox.Seal(borrowed.Ring, Label, encoded.Span, Bytes(sessionId, id)));
        }
    }

    /// <summary>Opens a capsule; the caller disposes the session.</summary>
    /// <exception cref="SealedSessionException">Unknown key id, not authentic, another session's, or an unknown codec version.</exception>
    public ExportedSession Open(ReadOnlySpan<byte> capsule, Guid sessionId)
    {
        Span<byte> id = stackalloc byte[SessionIdLength];
        using var borrowed = _keys.Borrow();
        using var encoded = SealedBox.Open(borrowed.Ring, Label, capsule, Bytes(sessionId, id), ExportedSessionCodec.MaxEncodedLength);
        return ExportedSessionCodec.Decode(encoded.Span);
    }

    /// <summary>Wipes the ring, if it was given one of its own.</summary>
    public void Dispose()
    {
        if (_ownsKeys)
            _keys.Dispose();
    }

    private static Span<byte> Bytes(Guid sessionId, Span<byte> buffer)
    {
        sessionId.TryWriteBytes(buffer, bigEndian: true, out _);
        return buffer;
    }
}

/// <summary>A capsule that can't be opened here.</summary>
public sealed class SealedSessionException(string message) : Exception(message);
