using System.Security.Cryptography;
using CSsl.Link;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Link;

/// <summary>Whatever the sizes and the interleaving: every channel gets its own bytes, all of them, in order, once.</summary>
public class LinkTransferTests(ITestOutputHelper output)
{
    [Fact]
    public void Bulk_transfer_reassembles_exactly_however_it_is_cut()
    {
        Gen<(int Seed, int Channels, int Credit, int AtOnce)> shapes =
            from seed in Gen.Choose(0, int.MaxValue - 1)
            from channels in Gen.Choose(1, 12)
            from credit in Gen.Elements(1, 1000, 20_000, 256 * 1024)
            from atOnce in Gen.Elements(7, 100, 5000, 300_000)
            select (seed, channels, credit, atOnce);
        Prop.ForAll(shapes.ToArbitrary(), s => TransferAsync(s.Seed, s.Channels, s.Credit, s.AtOnce).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Fact]
    public async Task Transfer_reassembles_exactly_when_many_threads_send_at_once()
    {
        await using var links = await TestLinks.ConnectAsync(await Tcp.PairAsync());
        const int Channels = 100;
        var transfers = new List<Transfer>();
        for (var i = 0; i < Channels; i++)
            transfers.Add(await Transfer.StartAsync(links, seed: i, bytes: 300_000));

        // Each channel is asked for turns by threads that know nothing of each other.
        await Task.WhenAll(transfers.Select(t => Task.Run(t.SendAsync)));
        await Task.WhenAll(transfers.Select(t => t.ReceivedAsync()));

        output.WriteLine($"{links.Silo.Counters}");
        Assert.All(transfers, t => Assert.False(t.FilledTwiceAtOnce));
    }

    [Fact]
    public async Task Transfer_over_TCP_moves_a_lot()
    {
        await using var links = await TestLinks.ConnectAsync(await Tcp.PairAsync());
        var (gateway, silo) = await links.OpenAsync();
        const long Total = 256 * 1024 * 1024;
        long sent = 0;
        silo.Filler = room =>
        {
            var length = (int)Math.Min(room.Length, Total - sent);
            sent += length;
            if (sent < Total)
                silo.AskForTurn();
            return length;
        };
        long received = 0;
        var all = new TaskCompletionSource();
        gateway.Discards = true;
        gateway.Returns = true;
        gateway.WhenRecords = bytes =>
        {
            if ((received += bytes) == Total)
                all.SetResult();
        };

        var start = TimeProvider.System.GetTimestamp();
        silo.AskForTurn();
        await all.Task.WaitAsync(TestLinks.Patience);

        var took = TimeProvider.System.GetElapsedTime(start);
        output.WriteLine($"{Total / took.TotalSeconds / 1e6:0} MB/s; sender {links.Silo.Counters}; receiver {links.Gateway.Counters}");
        Assert.Equal((Total, Total), (sent, received));
    }

    private static async Task<bool> TransferAsync(int seed, int channels, int credit, int atOnce)
    {
        var random = new Random(seed);
        var options = new LinkOptions { ChannelCredit = credit, BatchBytes = random.Next(1, 300_000), TurnBytes = random.Next(LinkChannel.MinimumRoom, LinkChannel.MaxPayload) };
        await using var links = await TestLinks.ConnectAsync(
            options,
            wrapGateway: s => new ChoppedStream(s, new Random(seed), atOnce),
            wrapSilo: s => new ChoppedStream(s, new Random(seed + 1), atOnce));
        var transfers = new List<Transfer>();
        var bytes = credit == 1 || atOnce < 100 ? 5_000 : 200_000;
        for (var i = 0; i < channels; i++)
            transfers.Add(await Transfer.StartAsync(links, random.Next(), random.Next(1, bytes)));
        await Task.WhenAll(transfers.Select(t => Task.Run(t.SendAsync)));
        await Task.WhenAll(transfers.Select(t => t.ReceivedAsync()));
        return !transfers.Exists(t => t.FilledTwiceAtOnce);
    }

    /// <summary>One channel's bytes on their way from the silo to the gateway, and as many the other way.</summary>
    private sealed class Transfer
    {
        private readonly Direction _down;
        private readonly Direction _up;

        private Transfer(TestChannel gateway, TestChannel silo, int seed, int bytes)
        {
            _down = new Direction(silo, gateway, seed, bytes);
            _up = new Direction(gateway, silo, seed + 1, bytes);
        }

        public bool FilledTwiceAtOnce => _down.FilledTwiceAtOnce || _up.FilledTwiceAtOnce;

        public static async Task<Transfer> StartAsync(TestLinks links, int seed, int bytes)
        {
            var (gateway, silo) = await links.OpenAsync();
            await silo.NextAsync(FrameKind.Attach);
            return new Transfer(gateway, silo, seed, bytes);
        }

        public async Task SendAsync() => await Task.WhenAll(_down.SendAsync(), _up.SendAsync());

        public async Task ReceivedAsync() => await Task.WhenAll(_down.ReceivedAsync(), _up.ReceivedAsync());
    }

    private sealed class Direction
    {
        private readonly TestChannel _from;
        private readonly TestChannel _to;
        private readonly Random _random;
        private readonly byte[] _bytes;
        private int _available;
        private int _sent;
        private int _inside;

        public Direction(TestChannel from, TestChannel to, int seed, int bytes)
        {
            (_from, _to, _random) = (from, to, new Random(seed));
            _bytes = new byte[bytes];
            new Random(seed).NextBytes(_bytes);
            to.Returns = true;
            from.Filler = Fill;
        }

        public bool FilledTwiceAtOnce { get; private set; }

        /// <summary>Makes the bytes available piece by piece, as an application would.</summary>
        public async Task SendAsync()
        {
            while (_available < _bytes.Length)
            {
                Interlocked.Add(ref _available, Math.Min(_random.Next(1, 20_000), _bytes.Length - _available));
                _from.AskForTurn();
                if (_random.Next(4) == 0)
                    await Task.Yield();
            }
        }

        public async Task ReceivedAsync()
        {
            using var received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (var got = 0; got < _bytes.Length;)
            {
                var records = await _to.NextAsync(FrameKind.Records);
                received.AppendData(records);
                got += records.Length;
            }

            Assert.Equal(SHA256.HashData(_bytes), received.GetHashAndReset());
        }

        private int Fill(Span<byte> room)
        {
            if (Interlocked.Exchange(ref _inside, 1) != 0)
                FilledTwiceAtOnce = true;
            var length = Math.Min(room.Length, Volatile.Read(ref _available) - _sent);
            _bytes.AsSpan(_sent, length).CopyTo(room);
            _sent += length;
            if (_sent < Volatile.Read(ref _available))
                _from.AskForTurn();
            Volatile.Write(ref _inside, 0);
            return length;
        }
    }
}
