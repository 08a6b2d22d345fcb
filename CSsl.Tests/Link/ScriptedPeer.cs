using System.Buffers.Binary;
using CSsl.Link;
using CSsl.Tls.Engines;

namespace CSsl.Tests.Link;

/// <summary>An authenticated peer that sends whatever a test wants, rules or not, to a real link end.</summary>
internal sealed class ScriptedPeer : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly LinkCipher _sealing;
    private readonly LinkCipher _opening;
    private readonly Queue<Frame> _received = new();

    private ScriptedPeer(Stream stream, LinkCipher sealing, LinkCipher opening, DataLink link, TestAcceptor? acceptor)
    {
        (_stream, _sealing, _opening, Link, Acceptor) = (stream, sealing, opening, link, acceptor ?? new TestAcceptor());
        End = link.RunAsync(default);
    }

    /// <summary>The real end.</summary>
    public DataLink Link { get; }

    /// <summary>Of the real end, when that is a silo's.</summary>
    public TestAcceptor Acceptor { get; }

    public Task<LinkException> End { get; }

    /// <summary>The peer plays the gateway; the real end is a silo's.</summary>
    public static Task<ScriptedPeer> OfSiloAsync(LinkOptions? options = null, TimeProvider? time = null) => ConnectAsync(LinkEnd.Gateway, new TestAcceptor(), options, time);

    /// <summary>The peer plays the silo; the real end is a gateway's.</summary>
    public static Task<ScriptedPeer> OfGatewayAsync(LinkOptions? options = null, TimeProvider? time = null) => ConnectAsync(LinkEnd.Silo, null, options, time);

    public Task SendAsync(FrameKind kind, uint channel, params byte[] payload) => SendRawAsync(Frame(kind, channel, payload));

    /// <summary>Bytes in a batch, as if they were frames.</summary>
    public Task SendRawAsync(params byte[] frames) => SendUnsealedAsync(Seal(frames));

    /// <summary>Bytes on the wire, as they are.</summary>
    public async Task SendUnsealedAsync(params byte[] bytes) => await _stream.WriteAsync(bytes);

    /// <summary>The next batch to the real end, not sent yet.</summary>
    public byte[] Seal(params byte[] frames) => Batches.Seal(_sealing, frames);

    /// <summary>The next frame from the real end.</summary>
    public async Task<Frame> NextAsync()
    {
        if (_received.TryDequeue(out var frame))
            return frame;
        foreach (var received in Batches.Open(_opening, await NextBatchAsync()))
            _received.Enqueue(received);
        return _received.Dequeue();
    }

    /// <summary>The next batch from the real end, as it is on the wire; after this only more of these.</summary>
    public async Task<byte[]> NextBatchAsync()
    {
        var header = new byte[SealedBatch.HeaderLength];
        await _stream.ReadExactlyAsync(header).AsTask().WaitAsync(TestLinks.Patience);
        var batch = new byte[SealedBatch.Overhead + BinaryPrimitives.ReadInt32LittleEndian(header)];
        header.CopyTo(batch, 0);
        await _stream.ReadExactlyAsync(batch.AsMemory(header.Length)).AsTask().WaitAsync(TestLinks.Patience);
        return batch;
    }

    /// <summary>The next frame that is no ping.</summary>
    public async Task<Frame> NextButPingsAsync()
    {
        while (true)
        {
            var frame = await NextAsync();
            if (frame.Kind != FrameKind.Ping)
                return frame;
        }
    }

    /// <summary>Opens a channel at the real silo. What it is given to do from here on meets none of the frames of its opening.</summary>
    public async Task<TestChannel> OpenAsync(uint channel)
    {
        await SendAsync(FrameKind.Attach, channel, 1);
        var opened = await Acceptor.OpenedAsync(channel);
        await opened.NextAsync(FrameKind.Attach);
        await opened.BatchEnded;
        return opened;
    }

    public static byte[] Frame(FrameKind kind, uint channel, params byte[] payload)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, channel, kind).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        return frame;
    }

    public static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    /// <summary>Closes the peer's end and waits for the real one.</summary>
    public async Task<LinkException> HangUpAsync()
    {
        await _stream.DisposeAsync();
        return await End.WaitAsync(TestLinks.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await Link.DisposeAsync();
        _sealing.Dispose();
        _opening.Dispose();
    }

    private static async Task<ScriptedPeer> ConnectAsync(LinkEnd plays, TestAcceptor? acceptor, LinkOptions? options, TimeProvider? time)
    {
        var (one, other) = InProcessStream.CreatePair();
        options ??= new LinkOptions();
        var engine = TestLinks.Engine;
        var link = DataLink.ConnectAsync(one, new LinkIdentity("real", "test"), TestLinks.Key, acceptor, options, time ?? TimeProvider.System, engine, default);
        using var real = await LinkAuthentication.RunAsync(other, plays, 256 * 1024, new LinkIdentity("scripted", "test"), TestLinks.Key, TestLinks.Patience, TimeProvider.System, default);
        var sealing = new LinkCipher(engine, RecordDirection.Seal, real.Keys.TrafficSecretOf(plays));
        var opening = new LinkCipher(engine, RecordDirection.Open, real.Keys.TrafficSecretOf(real.Hello.End));
        return new ScriptedPeer(other, sealing, opening, await link, acceptor);
    }
}
