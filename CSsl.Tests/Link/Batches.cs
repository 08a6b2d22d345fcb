using System.Buffers.Binary;
using CSsl.Link;

namespace CSsl.Tests.Link;

/// <summary>Sealed batches, made and read by a test.</summary>
internal static class Batches
{
    /// <summary>The next batch of a direction.</summary>
    public static byte[] Seal(LinkCipher cipher, ReadOnlySpan<byte> frames)
    {
        var batch = GC.AllocateUninitializedArray<byte>(SealedBatch.Overhead + frames.Length, pinned: true);
        BinaryPrimitives.WriteUInt32LittleEndian(batch, (uint)frames.Length);
        frames.CopyTo(batch.AsSpan(SealedBatch.HeaderLength));
        cipher.Run(batch);
        return batch;
    }

    /// <summary>The frames of the next batches of a direction.</summary>
    public static List<Frame> Open(LinkCipher cipher, ReadOnlySpan<byte> batches)
    {
        var frames = new List<Frame>();
        while (!batches.IsEmpty)
        {
            var batch = GC.AllocateUninitializedArray<byte>(SealedBatch.Overhead + (int)BinaryPrimitives.ReadUInt32LittleEndian(batches), pinned: true);
            batches[..batch.Length].CopyTo(batch);
            batches = batches[batch.Length..];
            if (!cipher.Run(batch))
                throw new InvalidOperationException("A batch is not authentic.");
            for (ReadOnlySpan<byte> rest = batch.AsSpan(SealedBatch.HeaderLength..^SealedBatch.TagLength); !rest.IsEmpty;)
            {
                var header = FrameHeader.Read(rest, LinkChannel.MaxPayload);
                frames.Add(new Frame(header.Kind, rest.Slice(FrameHeader.Size, header.Length).ToArray(), header.Channel));
                rest = rest[(FrameHeader.Size + header.Length)..];
            }
        }

        return frames;
    }
}
