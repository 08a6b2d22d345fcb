using System.Buffers.Binary;

namespace CSsl.Tls.Engines;

/// <summary>A record without a connection, for trying engines: text, nonce and additional data as one likes, in memory of its own.</summary>
/// <remarks>
/// <code>
///   memory:  | shift | IV, or nothing of meaning (16) | text (CipherLength) | tag or outer MAC |
/// </code>
/// </remarks>
internal sealed unsafe class TrialRecord
{
    private readonly byte[] _memory;
    private readonly byte[] _opened;
    private readonly byte[] _nonce;
    private readonly byte[] _additionalData;
    private readonly int _textAt;
    private readonly int _cipherLength;
    private readonly int _innerLength;
    private readonly bool _hidesLength;

    /// <param name="suite">Whose cipher.</param>
    /// <param name="encryptThenMac">CBC: the order.</param>
    /// <param name="text">Content; copied.</param>
    /// <param name="nonce">12 bytes; CBC: the IV, 16.</param>
    /// <param name="additionalData">At most 16 bytes; CBC: 13, of which the last two become the length if that is hidden.</param>
    /// <param name="shift">How far from an aligned address, at most 63.</param>
    public TrialRecord(CipherSuiteInfo suite, bool encryptThenMac, ReadOnlySpan<byte> text, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> additionalData, int shift)
    {
        _nonce = nonce.ToArray();
        _additionalData = additionalData.ToArray();
        _textAt = shift + CipherLengths.Block;
        _innerLength = text.Length;
        _hidesLength = !suite.IsAead && !encryptThenMac;
        var used = _hidesLength ? text.Length + suite.MacLength : text.Length;
        _cipherLength = suite.IsAead ? used : CbcPadding.PaddedLength(used);
        TailLength = suite.IsAead ? CipherLengths.Tag : encryptThenMac ? suite.MacLength : 0;

        _memory = GC.AllocateArray<byte>(_textAt + _cipherLength + TailLength, pinned: true);
        _opened = GC.AllocateArray<byte>(Math.Max(1, _cipherLength), pinned: true);
        text.CopyTo(_memory.AsSpan(_textAt));
        if (suite.IsAead)
            return;
        nonce.CopyTo(_memory.AsSpan(shift));
        CbcPadding.Append(_memory.AsSpan(_textAt, _cipherLength), used);
    }

    /// <summary>Bytes of the tag or outer MAC.</summary>
    public int TailLength { get; }

    /// <summary>Ciphertext and tail once it was sealed, for comparison and tampering.</summary>
    public Span<byte> Sealed => _memory.AsSpan(_textAt, _cipherLength + TailLength);

    /// <summary>IV, ciphertext and tail.</summary>
    public ReadOnlySpan<byte> SealedWithIv => _memory.AsSpan(_textAt - CipherLengths.Block);

    /// <summary>What was put in.</summary>
    public int TextLength => _innerLength;

    /// <summary>Where an opened record lies; padding and all.</summary>
    public ReadOnlySpan<byte> Opened => _opened.AsSpan(0, _cipherLength);

    /// <summary>Makes the job that seals it.</summary>
    public void PrepareSeal(RecordKey key, ref RecordJob job) => Prepare(key, Address(_memory) + _textAt, _hidesLength ? _innerLength : _cipherLength, ref job);

    /// <summary>Makes the job that opens it.</summary>
    public void PrepareOpen(RecordKey key, ref RecordJob job)
    {
        Prepare(key, Address(_opened), _cipherLength, ref job);
        if (_hidesLength)
            job.AdditionalData()[^sizeof(ushort)..].Clear();
    }

    /// <summary>Makes the last two bytes of the additional data the length that opening finds.</summary>
    public void AuthenticateLength() => BinaryPrimitives.WriteUInt16BigEndian(_additionalData.AsSpan(^sizeof(ushort)..), (ushort)_innerLength);

    private void Prepare(RecordKey key, byte* destination, int length, ref RecordJob job)
    {
        job.Record = Address(_memory);
        job.RecordLength = _memory.Length;
        job.Text = Address(_memory) + _textAt;
        job.Destination = destination;
        job.CipherLength = _cipherLength;
        job.Length = length;
        job.AdditionalDataLength = _additionalData.Length;
        _additionalData.CopyTo(job.AdditionalData());
        if (_nonce.Length == CipherLengths.Nonce)
            _nonce.CopyTo(job.Nonce());
        key.Lease();
        job.Key = key;
        job.Status = RecordJobStatus.Ready;
    }

    private static byte* Address(byte[] pinned) => (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}
