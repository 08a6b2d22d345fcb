namespace CSsl.Tls.Records;

/// <summary>The one owner of the peer's write key and sequence number: opens the records of one direction of one connection.</summary>
public sealed class RecordReadState : IDisposable
{
    private readonly TrafficKeyring _keys;
    private TlsException? _failure;

    internal RecordReadState(TrafficKeyring keys, ulong sequence)
    {
        _keys = keys;
        Sequence = sequence;
    }

    /// <summary>Sequence number of the next record to open.</summary>
    public ulong Sequence { get; private set; }

    /// <summary>Opens one whole record (header included) from <paramref name="record"/> into <paramref name="plaintext"/>.</summary>
    /// <param name="record">Exactly one record with its 5-byte header; not modified; must not overlap <paramref name="plaintext"/>.</param>
    /// <param name="plaintext">At least as long as the record; holds the content from offset 0 on return, and bytes without meaning after it.</param>
    /// <returns>The true content type (the inner one in TLS 1.3, which may be a number that does not exist) and the length of the content in <paramref name="plaintext"/>.</returns>
    /// <exception cref="TlsException">The record is refused. The error sticks: every later call throws it again.</exception>
    /// <exception cref="ArgumentException"><paramref name="record"/> is not exactly one record, or <paramref name="plaintext"/> is too short.</exception>
    public OpenedRecord Open(ReadOnlySpan<byte> record, Span<byte> plaintext)
    {
        if (_failure is not null)
            throw _failure;
        if (plaintext.Length < record.Length)
            throw new ArgumentException("The room for the plaintext is shorter than the record.", nameof(plaintext));

        try
        {
            var header = ReadHeader(record);
            if (Sequence == ulong.MaxValue)
                throw new TlsException(AlertDescription.InternalError, "The sequence number must not wrap.");
            var opened = _keys.Protection.Open(header, Sequence, record, plaintext);
            Sequence++;
            return opened;
        }
        catch (TlsException failure)
        {
            _failure = failure;
            throw;
        }
    }

    /// <summary>RFC 8446 section 7.2: moves to the next traffic secret; the sequence starts again at 0. TLS 1.3 only.</summary>
    /// <exception cref="InvalidOperationException">Not TLS 1.3.</exception>
    public void UpdateKey()
    {
        _keys.Update();
        Sequence = 0;
    }

    public void Dispose() => _keys.Dispose();

    /// <summary>What a record held broke a rule above the record layer: that sticks too.</summary>
    internal TlsException Fail(TlsException failure) => _failure = failure;

    private RecordHeader ReadHeader(ReadOnlySpan<byte> record)
    {
        switch (RecordHeader.Peek(record, _keys.Protection.MaxCiphertext, out var header))
        {
            case RecordStatus.Complete when record.Length == header.TotalLength:
                // These states begin after both Finished: no change_cipher_spec has a meaning any more, protected or not.
                if (header.Type == ContentType.ChangeCipherSpec)
                    throw new TlsException(AlertDescription.UnexpectedMessage, "change_cipher_spec after the handshake.");
                return header;

            case RecordStatus.Complete or RecordStatus.NeedMore:
                throw new ArgumentException("Not exactly one record.", nameof(record));

            case var refusal:
                throw new TlsException(RecordHeader.AlertFor(refusal), $"A record header is refused: {refusal}.");
        }
    }
}

/// <summary>What a record held.</summary>
public readonly record struct OpenedRecord(ContentType Type, int Length);
