using CSsl.Tls.Keys;
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
internal sealed class AeadProtection13(CipherSuiteInfo suite, TrafficKeys keys) : RecordProtection
{
    private const int TypeLength = 1;
    private const ushort LegacyVersion = 0x0303;

    private readonly AeadCipher _cipher = AeadCipher.Create(suite.Kind, keys.Key);
    private readonly SecretBytes _iv = new(keys.Iv.Span);

    public override int ExplicitIvLength => 0;

    public override int MaxCiphertext => RecordHeader.MaxCiphertext13;

    public override int SealedLength(int plaintextLength) => RecordHeader.Size + plaintextLength + TypeLength + AeadCipher.TagLength;

    public override void Seal(ContentType type, ulong sequence, Span<byte> record, int plaintextLength)
    {
        var inner = record.Slice(RecordHeader.Size, plaintextLength + TypeLength);
        inner[^1] = (byte)type;
        new RecordHeader(ContentType.ApplicationData, LegacyVersion, record.Length - RecordHeader.Size).Write(record);

        Span<byte> nonce = stackalloc byte[AeadCipher.NonceLength];
        Nonce.Xor(_iv.Span, sequence, nonce);
        _cipher.Encrypt(nonce, inner, record[^AeadCipher.TagLength..], record[..RecordHeader.Size]);
    }

    public override OpenedRecord Open(RecordHeader header, ulong sequence, ReadOnlySpan<byte> record, Span<byte> plaintext)
    {
        // Nothing is sent unprotected any more: not an alert, nor the change_cipher_spec of middlebox compatibility (appendix D.4).
        if (header.Type != ContentType.ApplicationData)
            throw new TlsException(AlertDescription.UnexpectedMessage, $"An unprotected record of type {header.Type} after the handshake.");

        var innerLength = header.Length - AeadCipher.TagLength;
        if (innerLength < 0)
            throw BadRecordMac();
        if (innerLength > RecordHeader.MaxPlaintext + TypeLength)
            throw PlaintextTooLong();

        Span<byte> nonce = stackalloc byte[AeadCipher.NonceLength];
        Nonce.Xor(_iv.Span, sequence, nonce);
        var inner = plaintext[..innerLength];
        if (!_cipher.TryDecrypt(nonce, record.Slice(RecordHeader.Size, innerLength), record[^AeadCipher.TagLength..], inner, record[..RecordHeader.Size]))
            throw BadRecordMac();

        // Section 5.4: the type is the last byte that is not zero.
        var typeAt = ((ReadOnlySpan<byte>)inner).LastIndexOfAnyExcept((byte)0);
        if (typeAt < 0)
            throw new TlsException(AlertDescription.UnexpectedMessage, "A record has no content type.");
        return new OpenedRecord((ContentType)inner[typeAt], typeAt);
    }

    public override void Dispose()
    {
        _cipher.Dispose();
        _iv.Dispose();
    }
}
