namespace CSsl.Tls.Records;

/// <summary>The one owner of our write key and sequence number: seals the records of one direction of one connection, in place.</summary>
/// <remarks>
/// <code>
///  record[0 .. PrefixLength)                        header, explicit nonce or IV: written by Seal
///  record[PrefixLength .. PrefixLength + n)         the plaintext, put there by the caller
///  record[PrefixLength + n .. SealedLength(n))      content type, padding, MAC or tag: written by Seal
/// </code>
/// </remarks>
public sealed class RecordWriteState : IDisposable
{
    private readonly TrafficKeyring _keys;
    private readonly KeyUsageLimit _limit;
    private ulong _sequence;

    internal RecordWriteState(TrafficKeyring keys, ulong sequence, int maxPlaintext, KeyUsageLimit limit)
    {
        _keys = keys;
        _limit = limit;
        _sequence = sequence;
        MaxPlaintext = maxPlaintext;
    }

    /// <summary>Sequence number of the next record to seal.</summary>
    public ulong Sequence => Volatile.Read(ref _sequence);

    /// <summary>Bytes before the plaintext: 5 (header) plus the explicit nonce (1.2 GCM: 8) or IV (CBC: 16).</summary>
    public int PrefixLength => RecordHeader.Size + _keys.Protection.ExplicitIvLength;

    /// <summary>The most plaintext one record may carry: 2^14, or less by max_fragment_length or record_size_limit.</summary>
    public int MaxPlaintext { get; }

    /// <summary>True once the key has sealed so many records that a KeyUpdate is due (RFC 8446 section 5.5). Never in TLS 1.2. Safe to read on any thread.</summary>
    public bool KeyUpdateDue => Sequence >= _limit.UpdateAt && _keys.CanUpdate;

    /// <summary>True after <see cref="Close"/>.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Length of the whole record that carries <paramref name="plaintextLength"/> bytes.</summary>
    public int SealedLength(int plaintextLength) => _keys.Protection.SealedLength(plaintextLength);

    /// <summary>Seals the plaintext that lies at <c>record[PrefixLength..]</c> and returns the length of the record.</summary>
    /// <exception cref="ArgumentException">The span is shorter than <see cref="SealedLength"/>, or the plaintext longer than <see cref="MaxPlaintext"/>.</exception>
    /// <exception cref="InvalidOperationException">The key's limit is reached (only alerts are sealed then, until the sequence number ends), or the direction was closed.</exception>
    public int Seal(ContentType type, Span<byte> record, int plaintextLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(plaintextLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plaintextLength, MaxPlaintext);
        var length = _keys.Protection.SealedLength(plaintextLength);
        if (record.Length < length)
            throw new ArgumentException($"The record needs {length} bytes of room.", nameof(record));
        if (IsClosed)
            throw new InvalidOperationException("Nothing is sent after close_notify or a fatal alert.");
        if (_sequence >= _limit.RefuseAt && (type != ContentType.Alert || _sequence == ulong.MaxValue))
            throw new InvalidOperationException($"The key has sealed {_sequence} records, which is its limit.");

        _keys.Protection.Seal(type, _sequence, record[..length], plaintextLength);
        Volatile.Write(ref _sequence, _sequence + 1);
        return length;
    }

    /// <summary>RFC 8446 section 7.2: moves to the next traffic secret; the sequence starts again at 0. TLS 1.3 only.</summary>
    /// <exception cref="InvalidOperationException">Not TLS 1.3.</exception>
    public void UpdateKey()
    {
        _keys.Update();
        Volatile.Write(ref _sequence, 0);
    }

    public void Dispose() => _keys.Dispose();

    /// <summary>The last record was sealed (RFC 8446 section 6.1): from here on <see cref="Seal"/> refuses.</summary>
    internal void Close() => IsClosed = true;
}
