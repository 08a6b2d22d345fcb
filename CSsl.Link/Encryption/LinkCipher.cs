using System.Security.Cryptography;
using CSsl.Tls.Engines;
using CSsl.Tls.Sessions;

namespace CSsl.Link;

/// <summary>Seals or opens the batches of one direction of a link, in their order. One caller at a time.</summary>
/// <remarks>
/// Both ends count batches, and after <see cref="BatchesPerKey"/> both take the next key without a word: from the next secret, which the one before can be told from no more
/// than the past can be. So a link may live for ever, and no key sees more than the 2^34.5 blocks that RFC 8446 section 5.5 allows AES-GCM.
/// <code>
///   traffic secret ──▶ key, IV of batches 0 to 2^20 - 1
///         │
///       "next"
///         ▼
///   traffic secret ──▶ key, IV of the next 2^20
/// </code>
/// </remarks>
internal sealed class LinkCipher : IDisposable
{
    /// <summary>Of <see cref="SealedBatch.MaxFrames"/> each they are less than 2^33.5 blocks.</summary>
    public const int BatchesPerKey = 1 << 20;

    private readonly IRecordEngine _engine;
    private readonly RecordDirection _direction;
    private readonly SecretBytes _secret;
    private readonly int _batchesPerKey;
    private MessageCipher _cipher;
    private int _batchesLeft;

    /// <param name="engine">Does the work.</param>
    /// <param name="direction">Seal or open.</param>
    /// <param name="secret">The direction's first traffic secret; owned from here on.</param>
    /// <param name="batchesPerKey">For tests.</param>
    public LinkCipher(IRecordEngine engine, RecordDirection direction, SecretBytes secret, int batchesPerKey = BatchesPerKey)
    {
        (_engine, _direction, _secret, _batchesPerKey) = (engine, direction, secret, batchesPerKey);
        _cipher = CreateCipher();
        _batchesLeft = batchesPerKey;
    }

    /// <summary>Seals or opens the next batch where it lies, in pinned memory: its header is written, or checked against its limits, by the caller.</summary>
    /// <returns>Opening: whether it is the peer's next batch. If not, it holds zeros.</returns>
    /// <exception cref="RecordEngineException">The engine failed: nothing of the batch may leave.</exception>
    public bool Run(Span<byte> batch)
    {
        if (_batchesLeft == 0)
            TakeNextKey();
        _batchesLeft--;
        return _cipher.Run(batch[..SealedBatch.HeaderLength], batch[SealedBatch.HeaderLength..]);
    }

    public void Dispose()
    {
        _cipher.Dispose();
        _secret.Dispose();
    }

    private void TakeNextKey()
    {
        using var next = new SecretBytes(LinkKeySchedule.SecretLength);
        Expand("cssl link 3 next"u8, next.Span);
        next.Span.CopyTo(_secret.Span);
        _cipher.Dispose();
        _cipher = CreateCipher();
        _batchesLeft = _batchesPerKey;
    }

    private MessageCipher CreateCipher()
    {
        using var key = new SecretBytes(MessageCipher.KeyLength);
        Span<byte> iv = stackalloc byte[MessageCipher.IvLength];
        Expand("cssl link 3 key"u8, key.Span);
        Expand("cssl link 3 iv"u8, iv);
        return new MessageCipher(_engine, _direction, key.Span, iv);
    }

    private void Expand(ReadOnlySpan<byte> label, Span<byte> output) => HKDF.Expand(HashAlgorithmName.SHA256, _secret.Span, output, label);
}
