using System.Buffers.Binary;
using CSsl.Tls.Engines;
using CSsl.Tls.Keys;
using CSsl.Tls.Records.Protection.Cbc;

namespace CSsl.Tls.Records.Protection;

/// <summary>
/// How one version and kind of cipher lays out a record and what it authenticates, under one key of one direction: makes jobs for the engine that
/// the key belongs to, and judges what came of them. The sequence number belongs to the state that calls it.
/// </summary>
internal abstract unsafe class RecordProtection(RecordKey key) : IDisposable
{
    /// <summary>Bytes between the header and the ciphertext of the content.</summary>
    public abstract int ExplicitIvLength { get; }

    /// <summary>The most that may follow the header.</summary>
    public abstract int MaxCiphertext { get; }

    /// <summary>Length of the record that carries so much content.</summary>
    public abstract int SealedLength(int plaintextLength);

    /// <summary>Writes all of a record but what takes the key, and makes the job for the rest. The content lies after header and explicit IV already.</summary>
    /// <param name="type">Its true type.</param>
    /// <param name="sequence">Its sequence number.</param>
    /// <param name="record">The record to be, in memory that doesn't move.</param>
    /// <param name="length">Its length: <see cref="SealedLength"/>.</param>
    /// <param name="plaintextLength">Bytes of content.</param>
    /// <param name="job">Idle; then ready.</param>
    public void PrepareSeal(ContentType type, ulong sequence, byte* record, int length, int plaintextLength, ref RecordJob job)
    {
        job.Record = record;
        job.RecordLength = length;
        job.Text = job.Destination = record + RecordHeader.Size + ExplicitIvLength;
        LayOut(type, sequence, new Span<byte>(record, length), plaintextLength, ref job);
        Lease(ref job);
    }

    /// <summary>Makes the job that opens a record.</summary>
    /// <param name="header">Its header, known to be well-formed and in bounds, and to have no <see cref="Refusal"/>.</param>
    /// <param name="sequence">Its sequence number.</param>
    /// <param name="job">Idle, with the record and room for as many bytes elsewhere; then ready.</param>
    public void PrepareOpen(RecordHeader header, ulong sequence, ref RecordJob job)
    {
        job.Text = job.Record + RecordHeader.Size + ExplicitIvLength;
        Describe(header, sequence, ref job);
        Lease(ref job);
    }

    /// <summary>Why a record is refused without a look at its fragment; null: it isn't.</summary>
    public abstract TlsException? Refusal(RecordHeader header);

    /// <summary>Finds the content of a record that was found authentic.</summary>
    /// <exception cref="TlsException">It is too long, or not of this version.</exception>
    public abstract OpenedRecord Complete(RecordHeader header, in RecordJob job);

    public void Dispose()
    {
        key.Dispose();
        DisposeIv();
    }

    /// <param name="engine">Makes the key.</param>
    /// <param name="suite">The suite.</param>
    /// <param name="keys">Copied; stays the caller's to wipe.</param>
    /// <param name="direction">What the key is for.</param>
    /// <param name="explicitNonceBase">TLS 1.2 GCM: explicit nonce of sequence number 0.</param>
    /// <param name="encryptThenMac">CBC: RFC 7366 was negotiated.</param>
    public static RecordProtection Create(
        IRecordEngine engine,
        CipherSuiteInfo suite,
        TrafficKeys keys,
        RecordDirection direction,
        ulong explicitNonceBase,
        bool encryptThenMac)
    {
        var key = engine.CreateKey(new RecordKeyMaterial(suite, direction, encryptThenMac, keys.Key.Span, keys.MacKey.Span));
        return suite switch
        {
            { Version: TlsVersion.Tls13 } => new AeadProtection13(key, keys.Iv),
            { Kind: CipherKind.AesCbc } when encryptThenMac => new CbcEncryptThenMac(key, suite),
            { Kind: CipherKind.AesCbc } => new CbcMacThenEncrypt(key, suite),
            _ => new AeadProtection12(key, suite, keys.Iv, explicitNonceBase),
        };
    }

    public static TlsException BadRecordMac() => new(AlertDescription.BadRecordMac, "A record does not authenticate.");

    /// <summary>Header, explicit IV, content type, padding; and lengths, nonce and additional data of the job.</summary>
    protected abstract void LayOut(ContentType type, ulong sequence, Span<byte> record, int plaintextLength, ref RecordJob job);

    /// <summary>Lengths, nonce and additional data of the job that opens a record.</summary>
    protected abstract void Describe(RecordHeader header, ulong sequence, ref RecordJob job);

    /// <summary>Wipes a fixed IV.</summary>
    protected virtual void DisposeIv()
    {
    }

    protected static TlsException PlaintextTooLong() => new(AlertDescription.RecordOverflow, "A record holds more than 2^14 bytes.");

    private void Lease(ref RecordJob job)
    {
        key.Lease();
        job.Key = key;
        job.Status = RecordJobStatus.Ready;
    }
}

/// <summary>The nonce that a sequence number makes with a fixed IV.</summary>
internal static class Nonce
{
    /// <summary>IV XOR sequence number, padded to the left (RFC 8446 section 5.3, RFC 7905 section 2). 12 bytes.</summary>
    public static void Xor(ReadOnlySpan<byte> iv, ulong sequence, Span<byte> nonce)
    {
        iv.CopyTo(nonce);
        var low = nonce[4..];
        BinaryPrimitives.WriteUInt64BigEndian(low, BinaryPrimitives.ReadUInt64BigEndian(low) ^ sequence);
    }
}

/// <summary>What TLS 1.2 authenticates beside the content: additional data of an AEAD, first bytes under an HMAC (RFC 5246 section 6.2.3).</summary>
/// <remarks>
/// <code>
///   0                 8      9         11       13
///   +-----------------+------+---------+--------+
///   | sequence number | type | version | length |
///   +-----------------+------+---------+--------+
/// </code>
/// </remarks>
internal static class PseudoHeader
{
    public const int Size = 8 + RecordHeader.Size;

    /// <param name="destination"><see cref="Size"/> bytes.</param>
    /// <param name="sequence">Sequence number of the record.</param>
    /// <param name="header">Its header on the wire: type and version are taken from it.</param>
    /// <param name="length">The length to authenticate: of the content, or of IV and ciphertext (encrypt-then-MAC).</param>
    public static void Write(Span<byte> destination, ulong sequence, RecordHeader header, int length)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, sequence);
        (header with { Length = length }).Write(destination[8..]);
    }
}
