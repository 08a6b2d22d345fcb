using CSsl.Link;
using CSsl.Silo.Proxy;
using CSsl.Tests.Support;
using CSsl.Tls.Engines;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Link.Encryption;

/// <summary>What a link does when somebody on its way changes, repeats, holds back or invents bytes.</summary>
public sealed class SealedLinkTests
{
    private const string NotAuthentic = "The peer sent a batch that is not authentic: something on the way changed, repeated or left out bytes.";

    // Opens a channel and sends on it, in one batch: nothing of it may be seen.
    private static readonly byte[] Frames = [.. ScriptedPeer.Frame(FrameKind.Attach, 1, 1), .. ScriptedPeer.Frame(FrameKind.Records, 1, 2)];

    private static readonly byte[] Ping = ScriptedPeer.Frame(FrameKind.Ping, 0, new byte[8]);

    [Fact]
    public async Task Batch_that_was_changed_ends_the_link_and_nothing_of_it_is_delivered_whatever_bit()
    {
        for (var at = SealedBatch.HeaderLength; at < SealedBatch.Overhead + Frames.Length; at++)
        {
            await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
            var batch = peer.Seal(Frames);
            batch[at] ^= (byte)(1 << (at % 8));

            await peer.SendUnsealedAsync(batch);

            await AssertEndedAsync(peer, NotAuthentic);
            Assert.Equal(0, peer.Acceptor.Asked);
        }
    }

    [Fact]
    public async Task Length_that_was_changed_ends_the_link_or_keeps_it_waiting_and_nothing_is_delivered()
    {
        for (var bit = 0; bit < 8 * SealedBatch.HeaderLength; bit++)
        {
            await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
            var batch = peer.Seal(Frames);
            batch[bit / 8] ^= (byte)(1 << (bit % 8));

            // Whatever the length says now, it is there.
            await peer.SendUnsealedAsync([.. batch, .. new byte[SealedBatch.MaxLength]]);

            Assert.StartsWith("The peer sent a batch ", (await peer.End.WaitAsync(TestLinks.Patience)).Message, StringComparison.Ordinal);
            Assert.Equal(0, peer.Acceptor.Asked);
        }
    }

    [Fact]
    public async Task Batch_that_comes_again_ends_the_link()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
        var batch = peer.Seal(Ping);

        await peer.SendUnsealedAsync([.. batch, .. batch]);

        await AssertEndedAsync(peer, NotAuthentic);
    }

    [Fact]
    public async Task Batches_that_change_places_end_the_link_and_none_is_delivered()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
        var first = peer.Seal(Frames);
        var second = peer.Seal(ScriptedPeer.Frame(FrameKind.Attach, 2, 1));

        await peer.SendUnsealedAsync([.. second, .. first]);

        await AssertEndedAsync(peer, NotAuthentic);
        Assert.Equal(0, peer.Acceptor.Asked);
    }

    [Fact]
    public async Task Batch_that_is_left_out_ends_the_link_with_the_next_one()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
        peer.Seal(Ping);

        await peer.SendAsync(FrameKind.Attach, 1, 1);

        await AssertEndedAsync(peer, NotAuthentic);
        Assert.Equal(0, peer.Acceptor.Asked);
    }

    [Fact]
    public async Task What_came_before_a_batch_that_was_changed_is_delivered()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
        var channel = new TestChannel();
        peer.Acceptor.Make = _ => channel;
        var first = peer.Seal([.. Frames, .. ScriptedPeer.Frame(FrameKind.Records, 1, 3)]);
        var next = peer.Seal(ScriptedPeer.Frame(FrameKind.Records, 1, 4));
        next[^1] ^= 1;

        await peer.SendUnsealedAsync([.. first, .. next]);

        await AssertEndedAsync(peer, NotAuthentic);
        await channel.NextAsync(FrameKind.Attach);
        Assert.Equal([2], await channel.NextAsync(FrameKind.Records));
        Assert.Equal([3], await channel.NextAsync(FrameKind.Records));
        Assert.False(channel.TryNext(out _));
        await channel.Lost;
    }

    [Fact]
    public async Task Bytes_of_this_end_that_are_sent_back_to_it_end_the_link()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());

        await peer.SendUnsealedAsync(await peer.NextBatchAsync());

        await AssertEndedAsync(peer, NotAuthentic);
    }

    [Fact]
    public async Task Batch_of_another_link_of_the_same_ends_ends_the_link()
    {
        await using var one = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
        await using var other = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());

        await other.SendUnsealedAsync(one.Seal(Frames));

        await AssertEndedAsync(other, NotAuthentic);
        Assert.Equal(0, other.Acceptor.Asked);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(SealedBatch.MaxFrames + 1u)]
    [InlineData(uint.MaxValue)]
    public async Task Batch_that_is_empty_or_too_long_is_refused_by_its_header_before_it_is_read(uint length)
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());

        await peer.SendUnsealedAsync(ScriptedPeer.U32(length));

        await AssertEndedAsync(peer, $"The peer sent a batch of {length} bytes of frames; there are 1 to {SealedBatch.MaxFrames}.");
    }

    [Fact]
    public async Task Longest_batch_is_delivered()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
        var channel = await peer.OpenAsync(1);
        var frames = new List<byte>();
        var least = FrameHeader.Size + 1;
        while (frames.Count < SealedBatch.UsualFrames - least)
            frames.AddRange(ScriptedPeer.Frame(FrameKind.Records, 1, new byte[Math.Min(1000, SealedBatch.UsualFrames - frames.Count - FrameHeader.Size)]));
        frames.AddRange(ScriptedPeer.Frame(FrameKind.Eof, 1, new byte[SealedBatch.MaxFrames - frames.Count - FrameHeader.Size]));
        Assert.Equal(SealedBatch.MaxFrames, frames.Count);

        await peer.SendRawAsync([.. frames]);

        await channel.SkipAsync(FrameKind.Eof);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(FrameHeader.Size)]
    [InlineData(FrameHeader.Size + 2)]
    public async Task Frame_that_is_cut_at_the_end_of_its_batch_ends_the_link(int length)
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
        var frame = ScriptedPeer.Frame(FrameKind.Attach, 1, 1, 2, 3);

        await peer.SendUnsealedAsync([.. peer.Seal(frame[..length]), .. peer.Seal(frame[length..])]);

        await AssertEndedAsync(peer, "The peer sent a frame that is cut at the end of its batch.");
        Assert.Equal(0, peer.Acceptor.Asked);
    }

    [Fact]
    public void Cut_link_delivers_what_came_whole_and_nothing_else_wherever_it_is_cut()
    {
        Gen<(int Seed, int At)> cuts = from seed in Gen.Choose(0, int.MaxValue - 1) from at in Gen.Choose(0, 150_000) select (seed, at);
        Prop.ForAll(cuts.ToArbitrary(), cut => DisturbedAsync(cut.Seed, cut.At, changes: false).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Fact]
    public void Changed_link_delivers_what_came_before_and_nothing_else_wherever_it_is_changed()
    {
        Gen<(int Seed, int At)> changes = from seed in Gen.Choose(0, int.MaxValue - 1) from at in Gen.Choose(0, 150_000) select (seed, at);
        Prop.ForAll(changes.ToArbitrary(), change => DisturbedAsync(change.Seed, change.At, changes: true).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    [Fact]
    public async Task Engine_that_fails_ends_the_link_and_nothing_leaves_unsealed()
    {
        var (one, other) = InProcessStream.CreatePair();
        var engine = new FailingEngine();
        var connecting = DataLink.ConnectAsync(one, new LinkIdentity("gateway-1", "test"), TestLinks.Key, null, new LinkOptions(), new FakeTimeProvider(), engine, default);
        using var peer = await LinkAuthentication.RunAsync(other, LinkEnd.Silo, 1, new LinkIdentity("silo-1", "test"), TestLinks.Key, TestLinks.Patience, TimeProvider.System, default);
        await using var link = await connecting;
        engine.Fails = true;

        // The first ping is what does not leave.
        var end = link.RunAsync(default);
        await Eventually.TrueAsync(() => !link.IsAlive, "the link is lost");
        await other.DisposeAsync();

        Assert.Equal($"Writing to the peer failed: {FailingEngine.Message}", (await end.WaitAsync(TestLinks.Patience)).Message);
        Assert.Equal(0, link.Counters.BytesReceived);
    }

    [Fact]
    public async Task Links_between_processes_are_sealed_and_those_within_one_are_not()
    {
        Assert.False(LinkTransport.For("127.0.0.1:1").IsWithinProcess);
        Assert.True(LinkTransport.For("inproc:here").IsWithinProcess);
        byte[] marker = [.. "what a gateway says to a silo"u8];
        foreach (var (endpoint, isSealed) in ((string, bool)[])[("127.0.0.1:0", true), ($"inproc:{Guid.NewGuid()}", false)])
        {
            await using var wire = await RecordedWire.StartAsync(endpoint, marker);
            Assert.Equal(isSealed, wire.Bytes.AsSpan().IndexOf(marker) < 0);
            Assert.InRange(wire.Bytes.Length, marker.Length, int.MaxValue);
        }
    }

    private static async Task AssertEndedAsync(ScriptedPeer peer, string reason) => Assert.Equal(reason, (await peer.End.WaitAsync(TestLinks.Patience)).Message);

    // The silo sends 100 KB in frames of random sizes; what its wire carries ends, or is changed in one bit, at some byte.
    private static async Task<bool> DisturbedAsync(int seed, int at, bool changes)
    {
        const int Total = 100_000;
        var random = new Random(seed);
        DisturbedStream? wire = null;
        await using var links = await TestLinks.ConnectAsync(time: new FakeTimeProvider(), wrapSilo: s => wire = new DisturbedStream(s, changes));
        var (gateway, silo) = await links.OpenAsync();
        wire!.Start(at);
        var sent = new byte[Total];
        random.NextBytes(sent);
        var (filled, received, wrong) = (0, 0, false);
        gateway.Returns = true;
        gateway.Frames = (_, frame) =>
        {
            if (frame.Kind != FrameKind.Records)
                return;
            wrong |= !sent.AsSpan(received, frame.Payload.Length).SequenceEqual(frame.Payload);
            received += frame.Payload.Length;
        };
        silo.Filler = room =>
        {
            var length = Math.Min(Math.Min(room.Length, random.Next(1, 20_000)), Total - filled);
            sent.AsSpan(filled, length).CopyTo(room);
            filled += length;
            if (filled < Total)
                silo.AskForTurn();
            return length;
        };
        silo.AskForTurn();

        // The cut or the change may be beyond all that is sent.
        await Eventually.TrueAsync(() => !links.Gateway.IsAlive || Volatile.Read(ref received) == Total, "all was received, or the link is lost");
        if (links.Gateway.IsAlive)
            return !wrong;
        var reason = (await links.GatewayEnd.WaitAsync(TestLinks.Patience)).Message;
        await gateway.Lost;
        return !wrong && received <= filled && gateway.LostCalls == 1
            && (changes ? reason.StartsWith("The peer sent a batch ", StringComparison.Ordinal) : IsClosed(reason));
    }

    // Seen by whoever reads, or, before that, by whoever writes.
    private static bool IsClosed(string reason)
        => reason.StartsWith("The peer closed the link", StringComparison.Ordinal) || reason.StartsWith("Writing to the peer failed", StringComparison.Ordinal);

    /// <summary>A transport whose writes end at some byte or have a bit of it changed.</summary>
    private sealed class DisturbedStream(Stream inner, bool changes) : WrappedStream(inner)
    {
        // The byte, counted from the next write; none: not yet, or not any more.
        private int _place = -1;
        private bool _isOver;

        public void Start(int at) => Volatile.Write(ref _place, at);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_isOver)
                return;
            var place = Volatile.Read(ref _place);
            if (place >= 0)
                Volatile.Write(ref _place, Math.Max(-1, place - buffer.Length));
            if (place < 0 || place >= buffer.Length)
            {
                await Inner.WriteAsync(buffer, cancellationToken);
                return;
            }

            var bytes = buffer.ToArray();
            if (changes)
            {
                bytes[place] ^= 4;

                // A length that grew waits for more than there will be.
                await Inner.WriteAsync(bytes, cancellationToken);
                await Inner.WriteAsync(new byte[SealedBatch.MaxLength], cancellationToken);
                return;
            }

            _isOver = true;
            await Inner.WriteAsync(bytes.AsMemory(0, place), cancellationToken);
            Inner.Dispose();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Inner.ReadAsync(buffer, cancellationToken);
    }

    private sealed class FailingEngine : IRecordEngine
    {
        public const string Message = "as the test wants it";

        public bool Fails { get; set; }

        public string Name => "failing";

        public int Lanes => 1;

        public RecordKey CreateKey(in RecordKeyMaterial material) => ManagedEngine.Instance.CreateKey(material);

        public void Run(Span<RecordJob> jobs)
        {
            if (Fails)
                throw new RecordEngineException(Message);
            ManagedEngine.Instance.Run(jobs);
        }

        public void Dispose()
        {
        }
    }

    /// <summary>All that a gateway says on a link through a listener of this kind, on its way to the silo.</summary>
    private sealed class RecordedWire : IAsyncDisposable
    {
        private readonly MemoryStream _recorded = new();

        public byte[] Bytes => _recorded.ToArray();

        public static async Task<RecordedWire> StartAsync(string endpoint, byte[] marker)
        {
            var wire = new RecordedWire();
            var acceptor = new TestAcceptor();
            await using var silo = LinkListener.Start(endpoint, acceptor, Setup("silo-1"), static (link, stop) => link.RunAsync(stop));
            var tap = endpoint.StartsWith("inproc:", StringComparison.Ordinal) ? $"{endpoint}-tap" : endpoint;
            await using var listener = LinkTransport.For(tap).Listen(tap);
            var relaying = wire.RelayAsync(listener, silo.Endpoint);
            await using (var gateway = await LinkConnector.ConnectAsync(listener.Endpoint, Setup("gateway-1"), default))
            {
                _ = gateway.RunAsync(default);
                var channel = new TestChannel();
                gateway.Open(channel, FrameKind.Attach, marker);
                Assert.Equal(marker, await (await acceptor.OpenedAsync(channel.Id)).NextAsync(FrameKind.Attach));
            }

            await relaying.WaitAsync(TestLinks.Patience);
            return wire;
        }

        public ValueTask DisposeAsync() => _recorded.DisposeAsync();

        private static LinkSetup Setup(string name)
            => new(new LinkIdentity(name, "test"), TestLinks.Key, new LinkOptions(), TimeProvider.System, NullLogger.Instance, TestLinks.Engine);

        private async Task RelayAsync(ILinkTransportListener listener, string siloEndpoint)
        {
            var (gateway, _) = (await listener.AcceptAsync())!.Value;
            await using var silo = await LinkTransport.For(siloEndpoint).ConnectAsync(siloEndpoint, default);
            await Task.WhenAll(PumpAsync(gateway, silo, _recorded), PumpAsync(silo, gateway, record: null));
        }

        private static async Task PumpAsync(Stream from, Stream to, MemoryStream? record)
        {
            var buffer = new byte[64 * 1024];
            try
            {
                while (await from.ReadAsync(buffer) is > 0 and var read)
                {
                    record?.Write(buffer, 0, read);
                    await to.WriteAsync(buffer.AsMemory(0, read));
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The other pump has closed it.
            }

            await from.DisposeAsync();
            await to.DisposeAsync();
        }
    }
}
