using System.Security.Cryptography;
using CSsl.Tls.Keys;
using CSsl.Tls.Sessions;

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
/// The padding is not authenticated, and where it ends decides where the MAC stands and how much is hashed. An attacker who can tell a bad
/// padding from a bad MAC, by the alert or by the time that it takes, decrypts cookies (Vaudenay 2002; Lucky Thirteen, AlFardan and Paterson 2013).
/// So <see cref="Open"/> does the same work for every padding of a record of one length: no branch and no address depends on the plaintext
/// until the record has been found authentic.
/// </remarks>
internal sealed class CbcMacThenEncrypt(CipherSuiteInfo suite, TrafficKeys keys) : RecordProtection
{
    private readonly CbcCipher _cipher = new(keys.Key);
    private readonly SecretBytes _macKey = new(keys.MacKey.Span);
    private readonly int _macLength = suite.MacLength;

    // A direction is opened or sealed, never both: each MAC is made when it is first needed.
    private RecordMac? _sealingMac;
    private ConstantTimeHmac? _openingMac;

    public override int ExplicitIvLength => CbcCipher.BlockLength;

    public override int MaxCiphertext => RecordHeader.MaxCiphertext12;

    public override int SealedLength(int plaintextLength)
        => RecordHeader.Size + CbcCipher.BlockLength + CbcPadding.PaddedLength(plaintextLength + _macLength);

    public override void Seal(ContentType type, ulong sequence, Span<byte> record, int plaintextLength)
    {
        var header = new RecordHeader(type, (ushort)TlsVersion.Tls12, record.Length - RecordHeader.Size);
        header.Write(record);
        var iv = record.Slice(RecordHeader.Size, CbcCipher.BlockLength);
        var text = record[(RecordHeader.Size + CbcCipher.BlockLength)..];

        RandomNumberGenerator.Fill(iv);
        _sealingMac ??= new RecordMac(suite, _macKey);
        _sealingMac.Compute(sequence, header, text[..plaintextLength], text.Slice(plaintextLength, _macLength));
        CbcPadding.Append(text, plaintextLength + _macLength);
        _cipher.Encrypt(iv, text);
    }

    public override OpenedRecord Open(RecordHeader header, ulong sequence, ReadOnlySpan<byte> record, Span<byte> plaintext)
    {
        var textLength = header.Length - CbcCipher.BlockLength;
        if (textLength < CbcPadding.PaddedLength(_macLength) || textLength % CbcCipher.BlockLength != 0)
            throw BadRecordMac();

        var text = plaintext[..textLength];
        _cipher.Decrypt(record.Slice(RecordHeader.Size, CbcCipher.BlockLength), record[(RecordHeader.Size + CbcCipher.BlockLength)..], text);
        _openingMac ??= ConstantTimeHmac.Create(suite, _macKey);
        if (!TryAuthenticate(_openingMac, header, sequence, text, out var length))
        {
            CryptographicOperations.ZeroMemory(text);
            throw BadRecordMac();
        }

        if (length > RecordHeader.MaxPlaintext)
            throw PlaintextTooLong();
        return new OpenedRecord(header.Type, length);
    }

    public override void Dispose()
    {
        _cipher.Dispose();
        _macKey.Dispose();
        _sealingMac?.Dispose();
        _openingMac?.Dispose();
    }

    /// <summary>Checks padding and MAC together; <paramref name="length"/> is a secret unless the answer is true.</summary>
    private bool TryAuthenticate(ConstantTimeHmac hmac, RecordHeader header, ulong sequence, ReadOnlySpan<byte> text, out int length)
    {
        // A bad padding counts as none, so that there is a length to go on with (RFC 5246 section 6.2.3.2, implementation note).
        var paddingGood = CbcPadding.Check(text, _macLength, out var padding);
        length = text.Length - _macLength - padding;

        Span<byte> pseudoHeader = stackalloc byte[PseudoHeader.Size];
        Span<byte> expected = stackalloc byte[_macLength];
        Span<byte> received = stackalloc byte[_macLength];
        PseudoHeader.Write(pseudoHeader, sequence, header, length);
        hmac.Compute(pseudoHeader, text, length, expected);
        CbcPadding.ExtractMac(text, length, received);

        var macGood = ConstantTime.AllEqual(expected, received);
        return (paddingGood & macGood) != 0;
    }
}
