using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CSsl.Tls.Engines;

/// <summary>
/// One direction of a protocol of C-SSL's own, sealed with AES-128-GCM by a record engine: messages that come in order, each where it lies. The nonce is that of
/// TLS 1.3 (RFC 8446 section 5.3): the number of the message, from 0, in an IV that comes from the key schedule. One caller at a time.
/// </summary>
/// <remarks>
/// <code>
///   | additional data | text, encrypted where it lies | tag (16) |
/// </code>
/// </remarks>
public sealed unsafe class MessageCipher : IDisposable
{
    public const int KeyLength = 16;
    public const int IvLength = CipherLengths.Nonce;
    public const int TagLength = CipherLengths.Tag;

    /// <summary>The most bytes of additional data.</summary>
    public const int MaxAdditionalData = 16;

    private static readonly CipherSuiteInfo Suite = CipherSuiteInfo.Get(CipherSuite.Aes128GcmSha256);

    private readonly IRecordEngine _engine;
    private readonly RecordKey _key;
    private Iv _iv;
    private ulong _number;
    private RecordJob _job;

    /// <param name="engine">Does the work.</param>
    /// <param name="direction">Seal or open.</param>
    /// <param name="key">Expanded; stays the caller's to wipe.</param>
    /// <param name="iv">Copied.</param>
    public MessageCipher(IRecordEngine engine, RecordDirection direction, ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv)
    {
        _engine = engine;
        _key = engine.CreateKey(new RecordKeyMaterial(Suite, direction, encryptThenMac: false, key, macKey: default));
        iv.CopyTo(_iv);
    }

    /// <summary>Seals or opens the next message in place; allocates nothing.</summary>
    /// <param name="additionalData">Authenticated, at most <see cref="MaxAdditionalData"/> bytes.</param>
    /// <param name="textAndTag">In pinned memory. Opening something that is not authentic leaves zeros where the text was.</param>
    /// <returns>Opening: whether it is authentic, and the next one of this direction. Sealing: true.</returns>
    /// <exception cref="RecordEngineException">The engine itself failed: what was to be sealed may still be plaintext.</exception>
    public bool Run(ReadOnlySpan<byte> additionalData, Span<byte> textAndTag)
    {
        _key.Lease();
        _job.Key = _key;
        _job.Text = _job.Destination = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(textAndTag));
        _job.CipherLength = _job.Length = textAndTag.Length - TagLength;
        _job.AdditionalDataLength = additionalData.Length;
        additionalData.CopyTo(_job.AdditionalData());
        SetNonce(_job.Nonce());
        _job.Status = RecordJobStatus.Ready;
        try
        {
            _engine.Run(new Span<RecordJob>(ref _job));
            _number++;
            return _job.Status == RecordJobStatus.Done;
        }
        finally
        {
            _job.Release();
        }
    }

    /// <summary>Wipes the key.</summary>
    public void Dispose()
    {
        _key.Dispose();
        ((Span<byte>)_iv).Clear();
    }

    private void SetNonce(Span<byte> nonce)
    {
        ((ReadOnlySpan<byte>)_iv).CopyTo(nonce);
        var low = nonce[^sizeof(ulong)..];
        BinaryPrimitives.WriteUInt64BigEndian(low, BinaryPrimitives.ReadUInt64BigEndian(low) ^ _number);
    }

    [InlineArray(IvLength)]
    private struct Iv
    {
        private byte _first;
    }
}
