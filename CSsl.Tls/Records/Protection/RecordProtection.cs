using CSsl.Tls.Keys;
using CSsl.Tls.Records.Protection.Cbc;

namespace CSsl.Tls.Records.Protection;

/// <summary>
/// How one version and kind of cipher lays out and protects a record, under one key of one direction.
/// The sequence number belongs to the state that calls it.
/// </summary>
internal abstract class RecordProtection : IDisposable
{
    /// <summary>Bytes between the header and the ciphertext of the content.</summary>
    public abstract int ExplicitIvLength { get; }

    /// <summary>The most that may follow the header.</summary>
    public abstract int MaxCiphertext { get; }

    /// <summary>Length of the record that carries so much content.</summary>
    public abstract int SealedLength(int plaintextLength);

    /// <summary>Seals in place: the content lies after header and explicit IV, and <paramref name="record"/> is exactly the record to be.</summary>
    public abstract void Seal(ContentType type, ulong sequence, Span<byte> record, int plaintextLength);

    /// <summary>Opens a record whose header is known to be well-formed and in bounds.</summary>
    /// <param name="header">The header, as it stands in <paramref name="record"/>.</param>
    /// <param name="sequence">Its sequence number.</param>
    /// <param name="record">Exactly the record, header included.</param>
    /// <param name="plaintext">At least as long as the record.</param>
    /// <exception cref="TlsException">It is not authentic, too long, or not of this version.</exception>
    public abstract OpenedRecord Open(RecordHeader header, ulong sequence, ReadOnlySpan<byte> record, Span<byte> plaintext);

    public abstract void Dispose();

    /// <param name="suite">The suite.</param>
    /// <param name="keys">Copied; stays the caller's to wipe.</param>
    /// <param name="explicitNonceBase">TLS 1.2 GCM: explicit nonce of sequence number 0.</param>
    /// <param name="encryptThenMac">CBC: RFC 7366 was negotiated.</param>
    public static RecordProtection Create(CipherSuiteInfo suite, TrafficKeys keys, ulong explicitNonceBase, bool encryptThenMac) => suite switch
    {
        { Version: TlsVersion.Tls13 } => new AeadProtection13(suite, keys),
        { Kind: CipherKind.AesCbc } when encryptThenMac => new CbcEncryptThenMac(suite, keys),
        { Kind: CipherKind.AesCbc } => new CbcMacThenEncrypt(suite, keys),
        _ => new AeadProtection12(suite, keys, explicitNonceBase),
    };

    protected static TlsException BadRecordMac() => new(AlertDescription.BadRecordMac, "A record does not authenticate.");

    protected static TlsException PlaintextTooLong() => new(AlertDescription.RecordOverflow, "A record holds more than 2^14 bytes.");
}
