namespace CSsl.Tls.Records;

/// <summary>The one owner of the server's write key and sequence number: seals the records of one direction of one connection, in place.</summary>
/// <remarks>
/// <code>
///  record[0 .. PrefixLength)                        header, explicit nonce or IV: written by Seal
///  record[PrefixLength .. PrefixLength + n)         the plaintext, put there by the caller
///  record[PrefixLength + n .. SealedLength(n))      content type, padding, MAC or tag: written by Seal
/// </code>
/// </remarks>
public sealed class RecordWriteState : IDisposable
{
    /// <summary>Sequence number of the next record to seal.</summary>
    public ulong Sequence => throw new NotImplementedException();

    /// <summary>Bytes before the plaintext: 5 (header) plus the explicit nonce (1.2 GCM: 8) or IV (CBC: 16).</summary>
    public int PrefixLength => throw new NotImplementedException();

    /// <summary>The most plaintext one record may carry: 2^14, or less by max_fragment_length or record_size_limit.</summary>
    public int MaxPlaintext => throw new NotImplementedException();

    /// <summary>True once the key has sealed so many records that a KeyUpdate is due (RFC 8446 section 5.5).</summary>
    public bool KeyUpdateDue => throw new NotImplementedException();

    /// <summary>Length of the whole record that carries <paramref name="plaintextLength"/> bytes.</summary>
    public int SealedLength(int plaintextLength) => throw new NotImplementedException();

    /// <summary>Seals the plaintext that lies at <c>record[PrefixLength..]</c> and returns the length of the record.</summary>
    /// <exception cref="ArgumentException">The span is shorter than <see cref="SealedLength"/>, or the plaintext longer than <see cref="MaxPlaintext"/>.</exception>
    /// <exception cref="InvalidOperationException">The key's limit is reached and it can't be updated.</exception>
    public int Seal(ContentType type, Span<byte> record, int plaintextLength) => throw new NotImplementedException();

    /// <summary>RFC 8446 section 7.2: moves to the next traffic secret; the sequence starts again at 0. TLS 1.3 only.</summary>
    public void UpdateKey() => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
