using CSsl.Tls.Engines;

namespace CSsl.Tls.Records.Protection.Cbc;

/// <summary>TLS 1.2 CBC record protection with the MAC over the ciphertext (RFC 7366 section 3).</summary>
/// <remarks>
/// <code>
///   0                  5         21                                  21+16k
///   +------------------+---------+-----------+-----------------------+-------------+
///   | type, 3.3, len   | IV (16) | content   | p times p (p+1 bytes) | MAC (32/48) |
///   +------------------+---------+-----------+-----------------------+-------------+
///                                  encrypted -----------------------
///   MAC = HMAC(sequence number, type, version, length of IV and ciphertext, IV, ciphertext)
/// </code>
/// </remarks>
internal sealed class CbcEncryptThenMac(RecordKey key, CipherSuiteInfo suite) : RecordProtection(key)
{
    private readonly int _macLength = suite.MacLength;

    public override int ExplicitIvLength => CipherLengths.Block;

    public override int MaxCiphertext => RecordHeader.MaxCiphertext12;

    public override int SealedLength(int plaintextLength)
        => RecordHeader.Size + CipherLengths.Block + CbcPadding.PaddedLength(plaintextLength) + _macLength;

    public override TlsException? Refusal(RecordHeader header)
    {
        var textLength = header.Length - CipherLengths.Block - _macLength;
        return textLength < CipherLengths.Block || textLength % CipherLengths.Block != 0 ? BadRecordMac() : null;
    }

    public override OpenedRecord Complete(RecordHeader header, in RecordJob job)
    {
        // What is authentic came from the peer: its padding tells an attacker nothing.
        ReadOnlySpan<byte> text = job.Target();
        var padding = text[^1] + 1;
        if (padding > text.Length || text[^padding..].ContainsAnyExcept(text[^1]))
            throw BadRecordMac();
        if (text.Length - padding > RecordHeader.MaxPlaintext)
            throw PlaintextTooLong();
        return new OpenedRecord(header.Type, text.Length - padding);
    }

    protected override void LayOut(ContentType type, ulong sequence, Span<byte> record, int plaintextLength, ref RecordJob job)
    {
        var header = new RecordHeader(type, (ushort)TlsVersion.Tls12, record.Length - RecordHeader.Size);
        header.Write(record);
        RandomIv.Fill(record.Slice(RecordHeader.Size, CipherLengths.Block));
        CbcPadding.Append(record[(RecordHeader.Size + CipherLengths.Block)..^_macLength], plaintextLength);
        Describe(header, sequence, ref job);
    }

    protected override void Describe(RecordHeader header, ulong sequence, ref RecordJob job)
    {
        job.Length = job.CipherLength = header.Length - CipherLengths.Block - _macLength;
        job.AdditionalDataLength = PseudoHeader.Size;
        PseudoHeader.Write(job.AdditionalData(), sequence, header, header.Length - _macLength);
    }
}
