using CSsl.Tls.Sessions;

namespace CSsl.Silo.Exchanges;

/// <summary>Seals notes so that only silos can read them, and only for the session that they are about. Thread-safe.</summary>
internal sealed class NoteSealer(SharedKeyRing keys) : IDisposable
{
    private const int SessionIdLength = 16;

    private readonly SeriesSealer _sealer = new(keys, "c-ssl note 1"u8);

    public byte[] Seal(ExchangeNote note, Guid sessionId)
    {
        Span<byte> encoded = stackalloc byte[ExchangeNote.MaxLength];
        return _sealer.Seal(encoded[..note.Encode(encoded)], Bytes(sessionId, stackalloc byte[SessionIdLength]));
    }

    /// <summary>Null when it can't be opened: it is another session's, damaged, or under a key that is not in the ring.</summary>
    public ExchangeNote? TryOpen(ReadOnlySpan<byte> sealedNote, Guid sessionId)
    {
        try
        {
            using var opened = _sealer.Open(sealedNote, Bytes(sessionId, stackalloc byte[SessionIdLength]));
            return ExchangeNote.Decode(opened.Span);
        }
        catch (SealedSessionException)
        {
            return null;
        }
    }

    public void Dispose() => _sealer.Dispose();

    private static ReadOnlySpan<byte> Bytes(Guid sessionId, Span<byte> buffer)
    {
        sessionId.TryWriteBytes(buffer, bigEndian: true, out _);
        return buffer;
    }
}
