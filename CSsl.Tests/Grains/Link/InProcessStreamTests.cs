using CSsl.Grains.Link;
using Xunit;

namespace CSsl.Tests.Grains.Link;

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
}
