using System.Security.Cryptography;
using CSsl.Tls.Keys;

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
internal sealed class CbcEncryptThenMac(CipherSuiteInfo suite, TrafficKeys keys) : RecordProtection
{
    private readonly CbcCipher _cipher = new(keys.Key);
    private readonly RecordMac _mac = new(suite, keys.MacKey);
    private readonly int _macLength = suite.MacLength;

    public override int ExplicitIvLength => CbcCipher.BlockLength;

    public override int MaxCiphertext => RecordHeader.MaxCiphertext12;

    public override int SealedLength(int plaintextLength)
        => RecordHeader.Size + CbcCipher.BlockLength + CbcPadding.PaddedLength(plaintextLength) + _macLength;

    public override void Seal(ContentType type, ulong sequence, Span<byte> record, int plaintextLength)
    {
        var header = new RecordHeader(type, (ushort)TlsVersion.Tls12, record.Length - RecordHeader.Size);
        header.Write(record);
        var authenticated = record[RecordHeader.Size..^_macLength];
        var iv = authenticated[..CbcCipher.BlockLength];
        var text = authenticated[CbcCipher.BlockLength..];

        RandomNumberGenerator.Fill(iv);
        CbcPadding.Append(text, plaintextLength);
        _cipher.Encrypt(iv, text);
        _mac.Compute(sequence, header, authenticated, record[^_macLength..]);
    }

    public override OpenedRecord Open(RecordHeader header, ulong sequence, ReadOnlySpan<byte> record, Span<byte> plaintext)
    {
        var textLength = header.Length - CbcCipher.BlockLength - _macLength;
        if (textLength < CbcCipher.BlockLength || textLength % CbcCipher.BlockLength != 0)
            throw BadRecordMac();

        var authenticated = record[RecordHeader.Size..^_macLength];
        Span<byte> mac = stackalloc byte[_macLength];
        _mac.Compute(sequence, header, authenticated, mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, record[^_macLength..]))
            throw BadRecordMac();

        // What is authentic came from the peer: its padding tells an attacker nothing.
        var text = plaintext[..textLength];
        _cipher.Decrypt(authenticated[..CbcCipher.BlockLength], authenticated[CbcCipher.BlockLength..], text);
        var padding = text[^1] + 1;
        if (padding > textLength || text[^padding..].ContainsAnyExcept(text[^1]))
            throw BadRecordMac();
        if (textLength - padding > RecordHeader.MaxPlaintext)
            throw PlaintextTooLong();
        return new OpenedRecord(header.Type, textLength - padding);
    }

    public override void Dispose()
    {
        _cipher.Dispose();
        _mac.Dispose();
    }
}
