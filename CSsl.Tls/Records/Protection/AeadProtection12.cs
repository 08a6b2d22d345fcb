using System.Buffers.Binary;
using CSsl.Tls.Engines;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records.Protection;

/// <summary>TLS 1.2 AEAD record protection (RFC 5246 section 6.2.3.3; GCM: RFC 5288, ChaCha20: RFC 7905).</summary>
/// <remarks>
/// <code>
///   0                  5                5+e                 5+e+n
///   +------------------+----------------+-------------------+-----------+
///   | type, 3.3, len   | explicit nonce | content           | tag (16)  |
///   +------------------+----------------+-------------------+-----------+
///                        GCM: 8 bytes     encrypted
///   nonce = GCM: salt (4), explicit nonce (8); ChaCha20: IV XOR sequence number
///   additional data = sequence number (8), type, version, n (2)
/// </code>
/// </remarks>
internal sealed class AeadProtection12(RecordKey key, CipherSuiteInfo suite, SecretBytes iv, ulong explicitNonceBase) : RecordProtection(key)
{
    private readonly SecretBytes _iv = new(iv.Span);

    public override int ExplicitIvLength { get; } = suite.ExplicitIvLength;

    public override int MaxCiphertext => RecordHeader.MaxCiphertext12;

    public override int SealedLength(int plaintextLength) => RecordHeader.Size + ExplicitIvLength + plaintextLength + CipherLengths.Tag;

    public override TlsException? Refusal(RecordHeader header)
    {
        var length = header.Length - ExplicitIvLength - CipherLengths.Tag;
        if (length < 0)
            return BadRecordMac();
        return length > RecordHeader.MaxPlaintext ? PlaintextTooLong() : null;
    }

    public override OpenedRecord Complete(RecordHeader header, in RecordJob job) => new(header.Type, job.Length);

    protected override void LayOut(ContentType type, ulong sequence, Span<byte> record, int plaintextLength, ref RecordJob job)
    {
        var header = new RecordHeader(type, (ushort)TlsVersion.Tls12, record.Length - RecordHeader.Size);
        header.Write(record);
        // Continues the count that the handshake began at N0: unique as long as the sequence number is.
        if (ExplicitIvLength > 0)
            BinaryPrimitives.WriteUInt64BigEndian(record[RecordHeader.Size..], unchecked(explicitNonceBase + sequence));
        Describe(header, sequence, ref job);
    }

    protected override unsafe void Describe(RecordHeader header, ulong sequence, ref RecordJob job)
    {
        job.Length = job.CipherLength = header.Length - ExplicitIvLength - CipherLengths.Tag;
        job.AdditionalDataLength = PseudoHeader.Size;
        PseudoHeader.Write(job.AdditionalData(), sequence, header, job.Length);
        if (ExplicitIvLength == 0)
        {
            Nonce.Xor(_iv.Span, sequence, job.Nonce());
            return;
        }

        _iv.Span.CopyTo(job.Nonce());
        new ReadOnlySpan<byte>(job.Text - ExplicitIvLength, ExplicitIvLength).CopyTo(job.Nonce()[_iv.Length..]);
    }

    protected override void DisposeIv() => _iv.Dispose();
}
