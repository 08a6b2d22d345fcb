using System.Buffers;
using CSsl.Gateway.VirtualConnections;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Gateway.VirtualConnections;

/// <summary>What is kept of a client's records, and what of it comes again.</summary>
public sealed class ReplayBufferTests
{
    private const int Limit = 256 * 1024;

    [Fact]
    public void Empty_buffer_holds_no_memory()
    {
        var buffer = new ReplayBuffer(start: 7, Limit);
        Assert.Equal(0, buffer.Capacity);
        Append(buffer, 100, 200);
        Assert.InRange(buffer.Capacity, buffer.Length, 4096);
        Assert.True(buffer.TryRelease(9));
        Assert.Equal(0, buffer.Capacity);
        Assert.Equal((9UL, 9UL, 9UL), (buffer.First, buffer.Next, buffer.End));
    }

    [Fact]
    public void Checkpoint_before_the_last_one_or_beyond_what_was_passed_on_is_none()
    {
        var buffer = new ReplayBuffer(7, Limit);
        Append(buffer, 100, 100, 100);
        Assert.False(buffer.TryRelease(11));
        Assert.True(buffer.TryRelease(9));
        Assert.False(buffer.TryRelease(8));

        buffer.Rewind();
        Assert.False(buffer.TryRelease(10));
        Assert.Equal(9UL, buffer.Checkpoint);
    }

    [Fact]
    public void Request_beyond_the_limit_is_not_replayable_until_the_next_checkpoint_and_costs_little()
    {
        var buffer = new ReplayBuffer(0, Limit);
        for (var i = 0; i < Limit / 16_384; i++)
        {
            Assert.True(buffer.IsReplayable);
            Append(buffer, 16_384);
        }

        for (var i = 0; i < 100; i++)
        {
            Append(buffer, 16_384);
            Assert.False(buffer.IsReplayable);
            Assert.InRange(buffer.Capacity, 0, 128 * 1024);
        }

        // Nothing comes again; what is new does.
        buffer.Rewind();
        Assert.False(buffer.IsReplaying);
        Assert.Equal(buffer.End, buffer.Next);

        // The client's next request came while the long one was answered: it is whole.
        Append(buffer, 300);
        Assert.True(buffer.TryRelease(buffer.End - 1));
        Assert.True(buffer.IsReplayable);
        buffer.Rewind();
        Assert.Equal(305, buffer.CopyNext(new byte[20_000]));
    }

    /// <summary>A silo that leaves gives no credit back for what it was sent after its checkpoint: however much that is with what came before, it goes to the next silo.</summary>
    [Fact]
    public void What_the_silo_has_not_taken_is_kept_past_the_limit()
    {
        const int Record = 16 * 1024;
        var buffer = new ReplayBuffer(0, Limit);
        var record = Walk.Record(23, Record - 5);
        const int Taken = 3;
        for (var i = 0; i < Taken; i++)
            buffer.Append(new ReadOnlySequence<byte>(record), 1, untaken: 0);
        var untaken = 0;
        for (; untaken < Limit; untaken += Record)
            buffer.Append(new ReadOnlySequence<byte>(record), 1, untaken);
        Assert.False(buffer.IsReplayable);

        Assert.True(buffer.TryRelease(Taken));

        Assert.True(buffer.IsReplayable);
        Assert.Equal(untaken, buffer.Length);
    }

    [Fact]
    public void Without_a_limit_nothing_is_kept()
    {
        var buffer = new ReplayBuffer(0, limit: 0);
        Append(buffer, 100);
        Assert.Equal(0, buffer.Capacity);
        Assert.False(buffer.IsReplayable);
        Assert.Equal(1UL, buffer.End);
    }

    [Fact]
    public void What_is_no_record_comes_again_as_the_last_bytes()
    {
        var buffer = new ReplayBuffer(0, Limit);
        Append(buffer, 100);
        byte[] noise = [0x50, 1, 2, 3, 4];
        buffer.Append(new ReadOnlySequence<byte>(noise), 1, untaken: 0);
        buffer.Rewind();
        var room = new byte[1000];
        Assert.Equal(110, buffer.CopyNext(room));
        Assert.Equal(noise, room[105..110]);
        Assert.False(buffer.IsReplaying);
    }

    /// <summary>Against a list of records: whatever the sizes, releases and turns, a new silo gets what the last checkpoint did not cover, in order.</summary>
    [Fact]
    public void New_silo_gets_exactly_the_records_since_the_checkpoint()
        => Prop.ForAll(Arb.From(Gen.Choose(0, 3000).ArrayOf(60)), steps =>
        {
            var buffer = new ReplayBuffer(0, 64 * 1024);
            var model = new List<byte[]>();
            var released = 0;
            foreach (var step in steps)
            {
                if (step % 5 != 0)
                {
                    var record = Walk.Record(23, 1 + step, (byte)model.Count);
                    model.Add(record);
                    buffer.Append(new ReadOnlySequence<byte>(record), 1, untaken: 0);
                }
                else
                {
                    released += (model.Count - released) * (step % 4) / 3;
                    Assert.True(buffer.TryRelease((ulong)released));
                }

                if (buffer.IsReplayable)
                    Assert.Equal(model.Skip(released).Sum(static record => record.Length), buffer.Length);
            }

            buffer.Rewind();
            if (!buffer.IsReplayable)
                return;
            var replayed = new List<byte>();
            var room = new byte[20_000];
            while (buffer.IsReplaying)
                replayed.AddRange(room[..buffer.CopyNext(room)]);
            Assert.Equal(model.Skip(released).SelectMany(static record => record), replayed);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    private static void Append(ReplayBuffer buffer, params int[] lengths)
    {
        foreach (var length in lengths)
            buffer.Append(new ReadOnlySequence<byte>(Walk.Record(23, length - (length > 1000 ? 5 : 0))), 1, untaken: 0);
    }
}
