using System.Buffers.Binary;
using CSsl.Tls.Keys;
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
internal sealed class AeadProtection12(CipherSuiteInfo suite, TrafficKeys keys, ulong explicitNonceBase) : RecordProtection
{
    private readonly AeadCipher _cipher = AeadCipher.Create(suite.Kind, keys.Key);
    private readonly SecretBytes _iv = new(keys.Iv.Span);

    public override int ExplicitIvLength { get; } = suite.ExplicitIvLength;

    public override int MaxCiphertext => RecordHeader.MaxCiphertext12;

    public override int SealedLength(int plaintextLength) => RecordHeader.Size + ExplicitIvLength + plaintextLength + AeadCipher.TagLength;

    public override void Seal(ContentType type, ulong sequence, Span<byte> record, int plaintextLength)
    {
        var header = new RecordHeader(type, (ushort)TlsVersion.Tls12, record.Length - RecordHeader.Size);
        header.Write(record);
        // Continues the count that the handshake began at N0: unique as long as the sequence number is.
        if (ExplicitIvLength > 0)
            BinaryPrimitives.WriteUInt64BigEndian(record[RecordHeader.Size..], unchecked(explicitNonceBase + sequence));

        Span<byte> nonce = stackalloc byte[AeadCipher.NonceLength];
        MakeNonce(record, sequence, nonce);
        Span<byte> additionalData = stackalloc byte[PseudoHeader.Size];
        PseudoHeader.Write(additionalData, sequence, header, plaintextLength);
        _cipher.Encrypt(nonce, record.Slice(RecordHeader.Size + ExplicitIvLength, plaintextLength), record[^AeadCipher.TagLength..], additionalData);
    }

    public override OpenedRecord Open(RecordHeader header, ulong sequence, ReadOnlySpan<byte> record, Span<byte> plaintext)
    {
        var length = header.Length - ExplicitIvLength - AeadCipher.TagLength;
        if (length < 0)
            throw BadRecordMac();
        if (length > RecordHeader.MaxPlaintext)
            throw PlaintextTooLong();

        Span<byte> nonce = stackalloc byte[AeadCipher.NonceLength];
        MakeNonce(record, sequence, nonce);
        Span<byte> additionalData = stackalloc byte[PseudoHeader.Size];
        PseudoHeader.Write(additionalData, sequence, header, length);
        if (!_cipher.TryDecrypt(nonce, record.Slice(RecordHeader.Size + ExplicitIvLength, length), record[^AeadCipher.TagLength..], plaintext[..length], additionalData))
            throw BadRecordMac();
        return new OpenedRecord(header.Type, length);
    }

    public override void Dispose()
    {
        _cipher.Dispose();
        _iv.Dispose();
    }

    private void MakeNonce(ReadOnlySpan<byte> record, ulong sequence, Span<byte> nonce)
    {
        if (ExplicitIvLength == 0)
        {
            Nonce.Xor(_iv.Span, sequence, nonce);
            return;
        }

        _iv.Span.CopyTo(nonce);
        record.Slice(RecordHeader.Size, ExplicitIvLength).CopyTo(nonce[_iv.Length..]);
    }
}
