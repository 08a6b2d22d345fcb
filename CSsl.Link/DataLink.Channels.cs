using System.Buffers.Binary;
using Microsoft.Extensions.Logging;

namespace CSsl.Link;

/// <content>What the channels and the link's own loops call.</content>
public sealed partial class DataLink
{
    internal void RequestTurn(LinkChannel channel) => _sender.RequestTurn(channel);

    internal void Send(LinkChannel channel, FrameKind kind, ReadOnlySpan<byte> payload, bool hurried)
    {
        LinkEnd self = _opensChannels ? LinkEnd.Gateway : LinkEnd.Silo;
        if ((FrameRules.SentBy(kind) & self) == 0 || FrameRules.IsOfLink(kind) || FrameRules.Opens(kind) || kind is FrameKind.Records or FrameKind.Window)
            throw new ArgumentException($"{kind} is not for this end to send on a channel.", nameof(kind));
        CheckLength(payload);
        _sender.Send(channel, kind, payload, hurried);
    }

    internal void ReturnCredit(LinkChannel channel, int bytes)
    {
        int window = channel.Received.Return(bytes);
        if (window == 0) return;
        Span<byte> payload = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)window);
        _sender.Send(channel, FrameKind.Window, payload);
    }

    internal void Release(LinkChannel channel)
    {
        _sender.Release(channel);
        _table.Remove(channel);
    }

    /// <summary>A frame of channel 0; its kind is one that the peer may send there.</summary>
    /// <exception cref="LinkException">It breaks the rules.</exception>
    internal void OnLinkFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Ping when payload.Length is >= sizeof(long) and <= sizeof(long) + LinkHeartbeat.MaxLoadLength:
                _sender.Send(FrameKind.Pong, 0, payload[..sizeof(long)]);
                ReadOnlySpan<byte> load = payload[sizeof(long)..];
                if (!load.SequenceEqual(_peerLoad)) Volatile.Write(ref _peerLoad, load.ToArray());
                break;
            case FrameKind.Pong:
                _heartbeat.OnPong(payload);
                break;
            case FrameKind.Goodbye when payload.IsEmpty:
                Volatile.Write(ref _peerLeaving, true);
                break;
            default:
                throw new LinkException($"The peer sent a frame of kind {kind} and {payload.Length} bytes, which is none.");
        }
    }

    /// <summary>One channel broke the rules, here or at the peer: it is closed at both ends, and the link goes on. From any thread.</summary>
    /// <returns>False: it was closed already.</returns>
    internal bool Fault(LinkChannel channel, Exception cause)
    {
        if (!_table.Remove(channel)) return false;
        LogFault(Logger, channel.Id, Peer.Name, cause);
        _sender.Send(channel, FrameKind.Close, [(byte)CloseReason.Aborted]);
        channel.Lose(new LinkException($"Channel {channel.Id} was closed: {cause.Message}", cause));
        return true;
    }

    /// <summary>The link is over. The first reason stays, and is returned. From any thread; calls nobody on it.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="readToTheEnd">Only sending has failed: a peer that closed may have sent its last frames before, and they are still to be
    /// delivered. The transport is closed when they are, at the latest after <see cref="LinkOptions.PeerTimeout"/>.</param>
    internal LinkException Lose(LinkException reason, bool readToTheEnd = false)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is { } earlier) return earlier;
        _transportClosed = CloseTransportAsync(readToTheEnd);
        _sender.Close();
        return reason;
    }

    /// <summary>OnLinkLost, guarded: one channel's error is not another's.</summary>
    internal void Tell(LinkChannel channel, LinkException reason)
    {
        try
        {
            channel.OnLinkLost(reason);
        }
        catch (Exception e)
        {
            LogNotTold(Logger, channel.Id, Peer.Name, e);
        }
    }

    internal void LogRefusal(uint channel, Exception cause) => LogRefusal(Logger, channel, Peer.Name, cause);

    private static void CheckLength(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > LinkChannel.MaxPayload)
            throw new ArgumentException($"A payload of {payload.Length} bytes; the most is {LinkChannel.MaxPayload}.", nameof(payload));
    }

    [LoggerMessage(EventId = 100, Level = LogLevel.Error, Message = "Channel {Channel} on the link with {Peer} was closed: it broke the rules")]
    private static partial void LogFault(ILogger logger, uint channel, string peer, Exception cause);

    [LoggerMessage(EventId = 101, Level = LogLevel.Error, Message = "Channel {Channel} on the link with {Peer} was refused: accepting it failed")]
    private static partial void LogRefusal(ILogger logger, uint channel, string peer, Exception cause);

    [LoggerMessage(EventId = 102, Level = LogLevel.Error, Message = "Channel {Channel} on the link with {Peer} failed when it was told that it is lost")]
    private static partial void LogNotTold(ILogger logger, uint channel, string peer, Exception cause);

    [LoggerMessage(EventId = 103, Level = LogLevel.Warning, Message = "The link with {Peer} was closed before all its frames had left")]
    private static partial void LogUndelivered(ILogger logger, string peer);

    [LoggerMessage(EventId = 104, Level = LogLevel.Warning, Message = "The transport of the link with {Peer} failed to close")]
    private static partial void LogNotClosed(ILogger logger, string peer, Exception cause);
}
