using System.Buffers.Binary;
using CSsl.Link;

namespace CSsl.Tests.Link;

/// <summary>An authenticated peer that sends whatever a test wants, rules or not, to a real link end.</summary>
internal sealed class ScriptedPeer : IAsyncDisposable
{
    private readonly Stream _stream;

    private ScriptedPeer(Stream stream, DataLink link, TestAcceptor? acceptor)
    {
        (_stream, Link, Acceptor) = (stream, link, acceptor ?? new TestAcceptor());
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

    public async Task SendRawAsync(params byte[] bytes) => await _stream.WriteAsync(bytes);

    /// <summary>The next frame from the real end.</summary>
    public async Task<Frame> NextAsync()
    {
        var header = new byte[FrameHeader.Size];
        await _stream.ReadExactlyAsync(header).AsTask().WaitAsync(TestLinks.Patience);
        var frame = FrameHeader.Read(header, LinkChannel.MaxPayload);
        var payload = new byte[frame.Length];
        await _stream.ReadExactlyAsync(payload).AsTask().WaitAsync(TestLinks.Patience);
        return new Frame(frame.Kind, payload, frame.Channel);
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
    }

    private static async Task<ScriptedPeer> ConnectAsync(LinkEnd plays, TestAcceptor? acceptor, LinkOptions? options, TimeProvider? time)
    {
        var (one, other) = InProcessStream.CreatePair();
        options ??= new LinkOptions();
        var link = DataLink.ConnectAsync(one, new LinkIdentity("real", "test"), TestLinks.Key, acceptor, options, time ?? TimeProvider.System, default);
        var hello = new Hello(plays, 256 * 1024, new byte[32], new LinkIdentity("scripted", "test"));
        await LinkAuthentication.RunAsync(other, hello, TestLinks.Key, TestLinks.Patience, TimeProvider.System, default);
        return new ScriptedPeer(other, await link, acceptor);
    }
}
