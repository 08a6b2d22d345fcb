using CSsl.Link;
using Xunit;

namespace CSsl.Tests.Link;

/// <summary>The in-process transport behaves as a socket does.</summary>
public sealed class InProcessStreamTests
{
    [Fact]
    public async Task Bytes_arrive_as_they_were_sent_whatever_the_sizes_of_writes_and_reads()
    {
        const long Total = 16 << 20;
        var (one, other) = InProcessStream.CreatePair();
        await using var sender = one;
        await using var receiver = other;
        var sending = Task.Run(async () =>
        {
            var sizes = new Random(1);
            for (long at = 0; at < Total;)
            {
                var bytes = new byte[(int)Math.Min(Total - at, sizes.Next(1, 300_000))];
                for (var i = 0; i < bytes.Length; i++)
                    bytes[i] = At(at + i);
                await sender.WriteAsync(bytes);
                at += bytes.Length;
            }
        });

        var buffer = new byte[256 * 1024];
        var rooms = new Random(2);
        for (long seen = 0; seen < Total;)
        {
            var room = rooms.Next(1, buffer.Length);
            var read = await receiver.ReadAsync(buffer.AsMemory(0, room));
            Assert.InRange(read, 1, room);
            for (var i = 0; i < read; i++)
            {
                if (buffer[i] != At(seen + i))
                    Assert.Fail($"byte {seen + i} is another one");
            }

            seen += read;
        }

        await sending;

        static byte At(long position) => (byte)(position * 31 >> 3);
    }

    [Fact]
    public async Task Write_waits_while_the_other_end_does_not_read()
    {
        var (one, other) = InProcessStream.CreatePair();
        var bytes = new byte[512 * 1024];
        var writing = one.WriteAsync(bytes).AsTask();
        Assert.False(writing.IsCompleted);

        await other.ReadExactlyAsync(bytes);

        await writing.WaitAsync(TestLinks.Patience);
    }

    [Fact]
    public async Task Closing_ends_what_is_pending_at_this_end()
    {
        var (one, _) = InProcessStream.CreatePair();
        var reading = one.ReadAsync(new byte[10]).AsTask();
        var writing = one.WriteAsync(new byte[512 * 1024]).AsTask();

        await one.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading.WaitAsync(TestLinks.Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writing.WaitAsync(TestLinks.Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => one.ReadAsync(new byte[1]).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => one.WriteAsync(new byte[1]).AsTask());
    }

    [Fact]
    public async Task Closing_lets_the_other_end_read_what_was_written_and_then_the_end()
    {
        var (one, other) = InProcessStream.CreatePair();
        await one.WriteAsync(new byte[] { 1, 2, 3 });
        await one.DisposeAsync();

        var got = new byte[10];
        Assert.Equal(3, await other.ReadAsync(got));
        Assert.Equal(0, await other.ReadAsync(got));
        await Assert.ThrowsAsync<IOException>(() => other.WriteAsync(new byte[1]).AsTask());
    }

    [Fact]
    public async Task Closing_ends_a_write_that_is_pending_at_the_other_end()
    {
        var (one, other) = InProcessStream.CreatePair();
        var writing = other.WriteAsync(new byte[512 * 1024]).AsTask();

        await one.DisposeAsync();

        await Assert.ThrowsAsync<IOException>(() => writing.WaitAsync(TestLinks.Patience));
    }
}
