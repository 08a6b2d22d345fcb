using CSsl.Link;
using CSsl.Tests.Tls.Engines;
using CSsl.Tls.Engines;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Link.Encryption;

public sealed class LinkCipherTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(7, 32).Select(static i => (byte)i)];

    [Theory]
    [InlineData(EngineChoice.Managed, EngineChoice.IpsecMb)]
    [InlineData(EngineChoice.IpsecMb, EngineChoice.Managed)]
    public void Batches_open_in_their_order_whatever_the_engines_and_however_often_the_key_changes(EngineChoice one, EngineChoice other)
    {
        using var sealing = Create(RecordDirection.Seal, one, batchesPerKey: 3);
        using var opening = Create(RecordDirection.Open, other, batchesPerKey: 3);
        var random = new Random(1);
        for (var i = 0; i < 50; i++)
        {
            var frames = new byte[i % 10 == 9 ? SealedBatch.MaxFrames : random.Next(1, 5000)];
            random.NextBytes(frames);
            var batch = Batches.Seal(sealing, frames);

            Assert.False(batch.AsSpan().IndexOf(frames.AsSpan(0, Math.Min(frames.Length, 16))) >= 0 && frames.Length > 4);
            Assert.True(opening.Run(batch));
            Assert.Equal(frames, batch[SealedBatch.HeaderLength..^SealedBatch.TagLength]);
        }
    }

    [Theory]
    [InlineData(EngineChoice.Managed)]
    [InlineData(EngineChoice.IpsecMb)]
    public void Batch_with_one_bit_changed_is_refused_whatever_bit_and_leaves_zeros(EngineChoice engine)
    {
        byte[] frames = [1, 2, 3, 4, 5];
        for (var bit = 0; bit < 8 * (SealedBatch.Overhead + frames.Length); bit++)
        {
            using var sealing = Create(RecordDirection.Seal, engine);
            using var opening = Create(RecordDirection.Open, engine);
            var batch = Batches.Seal(sealing, frames);
            batch[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.False(opening.Run(batch));
            Assert.Equal(new byte[frames.Length], batch[SealedBatch.HeaderLength..^SealedBatch.TagLength]);
        }
    }

    [Fact]
    public void Equal_batches_look_different()
    {
        using var sealing = Create(RecordDirection.Seal, EngineChoice.Managed, batchesPerKey: 16);
        var seen = new HashSet<string>();
        for (var i = 0; i < 64; i++)
            Assert.True(seen.Add(Convert.ToHexString(Batches.Seal(sealing, new byte[32]))));
    }

    [Fact]
    public void Secret_is_wiped_with_the_cipher_and_every_one_before_it_when_the_next_is_taken()
    {
        var secret = new SecretBytes(Secret);
        var memory = secret.Memory;
        var cipher = new LinkCipher(ManagedEngine.Instance, RecordDirection.Seal, secret, batchesPerKey: 1);
        Batches.Seal(cipher, [1]);
        Assert.Equal(Secret, memory.ToArray());
        Batches.Seal(cipher, [1]);
        Assert.NotEqual(Secret, memory.ToArray());

        cipher.Dispose();

        Assert.Equal(new byte[Secret.Length], memory.ToArray());
    }

    [Fact]
    public void No_key_is_used_for_more_blocks_than_the_RFC_allows()
    {
        // RFC 8446 section 5.5: 2^24.5 records of 2^14 bytes.
        var blocks = (double)LinkCipher.BatchesPerKey * (SealedBatch.MaxFrames / 16 + 2);
        Assert.InRange(blocks, 0, Math.Pow(2, 24.5 + 10));
    }

    private static LinkCipher Create(RecordDirection direction, EngineChoice engine, int batchesPerKey = LinkCipher.BatchesPerKey)
        => new(TestEngines.Get(engine), direction, new SecretBytes(Secret), batchesPerKey);
}
