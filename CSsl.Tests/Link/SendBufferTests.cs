using System.Buffers.Binary;
using CSsl.Link;
using CSsl.Tls.Engines;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Link;

public sealed class SendBufferTests
{
    private const int Kept = 384 * 1024;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Buffer_holds_the_frames_that_were_added_and_not_removed_in_their_order(bool isSealed)
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var (buffer, expected) = (new SendBuffer(Kept, isSealed), new List<Frame>());
            var (queued, queuedFrames) = (new SendBuffer(Kept, isSealed), new List<Frame>());
            for (var steps = random.Next(1, 40); steps > 0; steps--)
            {
                switch (random.Next(6))
                {
                    case 0:
                        Add(queued, queuedFrames, FrameKind.Checkpoint, random, random.Next(3) == 0 ? LinkChannel.MaxPayload : 200);
                        break;
                    case 1:
                        buffer.Append(queued);
                        expected.AddRange(queuedFrames);
                        queued.Clear();
                        queuedFrames.Clear();
                        break;
                    case 2:
                        var channel = (uint)random.Next(1, 4);
                        Assert.Equal(expected.RemoveAll(f => f.Channel == channel && f.Kind == FrameKind.Records), buffer.RemoveRecords(channel));
                        break;
                    default:
                        Add(buffer, expected, FrameKind.Records, random, random.Next(2) == 0 ? 64 * 1024 : 1000);
                        break;
                }

                Assert.Equal((expected.Count, expected.Count(f => f.Kind == FrameKind.Records)), (buffer.Frames, buffer.RecordFrames));
            }

            AssertHolds(buffer, expected, isSealed);
        }
    }

    [Fact]
    public void Small_frames_of_many_channels_share_a_batch_and_a_turn_of_bulk_has_its_own()
    {
        var buffer = new SendBuffer(Kept, isSealed: true);
        for (var channel = 1u; channel <= 100; channel++)
        {
            buffer.Room(64 * 1024);
            buffer.Commit(FrameKind.Records, channel, 200);
        }

        for (var i = 0; i < 3; i++)
        {
            buffer.Room(64 * 1024);
            buffer.Commit(FrameKind.Records, 1, 64 * 1024);
        }

        Assert.Equal((100 * 212) + (3 * (12 + (64 * 1024))) + (3 * SealedBatch.Overhead), buffer.Length);
    }

    [Fact]
    public void Nothing_moves_while_no_more_is_added_than_was_reserved()
    {
        var buffer = new SendBuffer(Kept, isSealed: true);
        const int Reserved = 300_000;
        buffer.Reserve(Reserved + SealedBatch.Overhead + FrameHeader.Size + (64 * 1024));
        ref var first = ref buffer.Room(1)[0];
        while (buffer.Length < Reserved)
        {
            buffer.Room(64 * 1024);
            buffer.Commit(FrameKind.Records, 1, 1000);
        }

        Assert.True(System.Runtime.CompilerServices.Unsafe.AreSame(ref first, ref System.Runtime.InteropServices.MemoryMarshal.GetReference(buffer.Written.Span[(SealedBatch.HeaderLength + FrameHeader.Size)..])));
    }

    private static void Add(SendBuffer buffer, List<Frame> frames, FrameKind kind, Random random, int most)
    {
        var payload = new byte[random.Next(0, most + 1)];
        random.NextBytes(payload);
        var channel = (uint)random.Next(1, 4);

        // As a turn: the room is for more than is put there.
        payload.CopyTo(buffer.Room(Math.Min(LinkChannel.MaxPayload, payload.Length + random.Next(0, 64 * 1024))));
        buffer.Commit(kind, channel, payload.Length);
        frames.Add(new Frame(kind, payload, channel));
    }

    private static void AssertHolds(SendBuffer buffer, List<Frame> expected, bool isSealed)
    {
        if (!isSealed)
        {
            var rest = buffer.Written.Span;
            foreach (var frame in expected)
            {
                var bytes = ScriptedPeer.Frame(frame.Kind, frame.Channel, frame.Payload);
                Assert.True(rest.StartsWith(bytes));
                rest = rest[bytes.Length..];
            }

            Assert.True(rest.IsEmpty);
            return;
        }

        using var sealing = new LinkCipher(ManagedEngine.Instance, RecordDirection.Seal, new SecretBytes(32));
        using var opening = new LinkCipher(ManagedEngine.Instance, RecordDirection.Open, new SecretBytes(32));
        buffer.Seal(sealing);
        var frames = Batches.Open(opening, buffer.Written.Span);
        Assert.Equal(expected.Select(f => (f.Kind, f.Channel)), frames.Select(f => (f.Kind, f.Channel)));
        Assert.All(frames.Zip(expected), static pair => Assert.True(pair.First.Payload.AsSpan().SequenceEqual(pair.Second.Payload)));
        for (var batches = buffer.Written.Span; !batches.IsEmpty;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(batches);
            Assert.InRange(length, 1, SealedBatch.MaxFrames);
            batches = batches[(SealedBatch.Overhead + length)..];
        }
    }
}
