using CSsl.Tls.Engines;

namespace CSsl.Tls.Records.Protection.Cbc;

/// <summary>TLS 1.2 CBC record protection with the MAC inside the encryption (RFC 5246 section 6.2.3.2).</summary>
/// <remarks>
/// <code>
///   0                  5         21          21+n                        21+16k
///   +------------------+---------+-----------+-------------+-----------------------+
///   | type, 3.3, len   | IV (16) | content   | MAC (32/48) | p times p (p+1 bytes) |
///   +------------------+---------+-----------+-------------+-----------------------+
///                                  encrypted -------------------------------------
///   MAC = HMAC(sequence number, type, version, n, content)
/// </code>
/// Opening, n is a secret until the record is known to be authentic: see <see cref="Engines.Managed.ManagedDecryptThenVerifyKey"/>.
/// </remarks>
internal sealed class CbcMacThenEncrypt(RecordKey key, CipherSuiteInfo suite) : RecordProtection(key)
{
    private readonly int _macLength = suite.MacLength;

    public override int ExplicitIvLength => CipherLengths.Block;

    public override int MaxCiphertext => RecordHeader.MaxCiphertext12;

    public override int SealedLength(int plaintextLength)
        => RecordHeader.Size + CipherLengths.Block + CbcPadding.PaddedLength(plaintextLength + _macLength);

    public override TlsException? Refusal(RecordHeader header)
    {
        var textLength = header.Length - CipherLengths.Block;
        return textLength < CbcPadding.PaddedLength(_macLength) || textLength % CipherLengths.Block != 0 ? BadRecordMac() : null;
    }

    public override OpenedRecord Complete(RecordHeader header, in RecordJob job)
    {
        if (job.Length > RecordHeader.MaxPlaintext)
            throw PlaintextTooLong();
        return new OpenedRecord(header.Type, job.Length);
    }

    protected override void LayOut(ContentType type, ulong sequence, Span<byte> record, int plaintextLength, ref RecordJob job)
    {
        var header = new RecordHeader(type, (ushort)TlsVersion.Tls12, record.Length - RecordHeader.Size);
        header.Write(record);
        RandomIv.Fill(record.Slice(RecordHeader.Size, CipherLengths.Block));
        // Where the MAC will be says nothing about where the padding begins: it can be written before.
        CbcPadding.Append(record[(RecordHeader.Size + CipherLengths.Block)..], plaintextLength + _macLength);
        Describe(header, sequence, ref job);
        job.Length = plaintextLength;
        PseudoHeader.Write(job.AdditionalData(), sequence, header, plaintextLength);
    }

    protected override void Describe(RecordHeader header, ulong sequence, ref RecordJob job)
    {
        job.CipherLength = header.Length - CipherLengths.Block;
        job.AdditionalDataLength = PseudoHeader.Size;
        PseudoHeader.Write(job.AdditionalData(), sequence, header, length: 0);
    }
}
