namespace CSsl.Tls.Records;

/// <summary>The one owner of the client's write key and sequence number: opens the records of one direction of one connection.</summary>
public sealed class RecordReadState : IDisposable
{
    /// <summary>Sequence number of the next record to open.</summary>
    public ulong Sequence => throw new NotImplementedException();

    /// <summary>Opens one whole record (header included) from <paramref name="record"/> into <paramref name="plaintext"/>.</summary>
    /// <param name="record">Exactly one record with its 5-byte header; not modified; must not overlap <paramref name="plaintext"/>.</param>
    /// <param name="plaintext">At least as long as the record; holds the content from offset 0 on return.</param>
    /// <returns>The true content type (the inner one in TLS 1.3) and the length of the content in <paramref name="plaintext"/>.</returns>
    /// <exception cref="TlsException">The record is refused. The error sticks: every later call throws it again.</exception>
    public OpenedRecord Open(ReadOnlySpan<byte> record, Span<byte> plaintext) => throw new NotImplementedException();

    /// <summary>RFC 8446 section 7.2: moves to the next traffic secret; the sequence starts again at 0. TLS 1.3 only.</summary>
    public void UpdateKey() => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}

/// <summary>What a record held.</summary>
public readonly record struct OpenedRecord(ContentType Type, int Length);
