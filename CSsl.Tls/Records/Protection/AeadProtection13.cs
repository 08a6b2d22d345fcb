using CSsl.Tls.Engines;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records.Protection;

/// <summary>TLS 1.3 record protection (RFC 8446 section 5.2).</summary>
/// <remarks>
/// <code>
///   0                5                     5+n    6+n    6+n+z
///   +----------------+---------------------+------+------+-----------+
///   | 23, 3.3, len   | content             | type | 0..0 | tag (16)  |
///   +----------------+---------------------+------+------+-----------+
///    additional data   encrypted -----------------------
///   nonce = IV XOR sequence number
/// </code>
/// </remarks>
internal sealed class AeadProtection13(RecordKey key, SecretBytes iv) : RecordProtection(key)
{
    private const int TypeLength = 1;
    private const ushort LegacyVersion = 0x0303;

    private readonly SecretBytes _iv = new(iv.Span);

    public override int ExplicitIvLength => 0;

    public override int MaxCiphertext => RecordHeader.MaxCiphertext13;

    public override int SealedLength(int plaintextLength) => RecordHeader.Size + plaintextLength + TypeLength + CipherLengths.Tag;

    public override TlsException? Refusal(RecordHeader header)
    {
        // Nothing is sent unprotected any more: not an alert, nor the change_cipher_spec of middlebox compatibility (appendix D.4).
        if (header.Type != ContentType.ApplicationData)
            return new TlsException(AlertDescription.UnexpectedMessage, $"An unprotected record of type {header.Type} after the handshake.");

        var innerLength = header.Length - CipherLengths.Tag;
        if (innerLength < 0)
            return BadRecordMac();
        return innerLength > RecordHeader.MaxPlaintext + TypeLength ? PlaintextTooLong() : null;
    }

    public override OpenedRecord Complete(RecordHeader header, in RecordJob job)
    {
        // Section 5.4: the type is the last byte that is not zero.
        ReadOnlySpan<byte> inner = job.Target();
        var typeAt = inner.LastIndexOfAnyExcept((byte)0);
        if (typeAt < 0)
            throw new TlsException(AlertDescription.UnexpectedMessage, "A record has no content type.");
        return new OpenedRecord((ContentType)inner[typeAt], typeAt);
    }

    protected override void LayOut(ContentType type, ulong sequence, Span<byte> record, int plaintextLength, ref RecordJob job)
    {
        record[RecordHeader.Size + plaintextLength] = (byte)type;
        Describe(new RecordHeader(ContentType.ApplicationData, LegacyVersion, record.Length - RecordHeader.Size), sequence, ref job);
        job.AdditionalData().CopyTo(record);
    }

    protected override void Describe(RecordHeader header, ulong sequence, ref RecordJob job)
    {
        job.Length = job.CipherLength = header.Length - CipherLengths.Tag;
        Nonce.Xor(_iv.Span, sequence, job.Nonce());
        job.AdditionalDataLength = RecordHeader.Size;
        header.Write(job.AdditionalData());
    }

    protected override void DisposeIv() => _iv.Dispose();
}
