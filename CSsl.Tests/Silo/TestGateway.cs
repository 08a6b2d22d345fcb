using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using CSsl.Link;
using CSsl.Tests.Link;
using CSsl.Tls.Handshake;
using CSsl.Tls.Records;
using Microsoft.Extensions.Logging.Abstractions;

namespace CSsl.Tests.Silo;

/// <summary>Does in memory what a gateway does with sockets: a link to one silo, and client connections over it.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    /// <summary>Where clients seem to come from, and where they think that they connected.</summary>
    public static readonly IPEndPoint ClientAddress = new(IPAddress.Parse("203.0.113.7"), 50123);
    public static readonly IPEndPoint ServerAddress = new(IPAddress.Parse("192.0.2.1"), 443);

    private TestGateway(DataLink link)
    {
        Link = link;
        Ended = link.RunAsync(default);
    }

    public DataLink Link { get; }

    public Task<LinkException> Ended { get; }

    public static async Task<TestGateway> ConnectAsync(string endpoint, string clusterId, byte[] clusterKey)
        => new(await LinkConnector.ConnectAsync(endpoint, new LinkSetup(new LinkIdentity("gateway-1", clusterId), clusterKey, new LinkOptions(), TimeProvider.System, NullLogger.Instance, TestLinks.Engine), default));

    /// <summary>A client's connection: the gateway serves it from here on, until it ends.</summary>
    /// <param name="attached">Gets the channel of the data phase when it is opened.</param>
    public ClientStream Accept(Action<GatewayChannel>? attached = null)
    {
        var client = new ClientStream();
        _ = ServeAsync(client, attached);
        return client;
    }

    /// <summary>Opens a session's channel.</summary>
    public GatewayChannel Attach(Attach attach, GatewayBooks? books = null, bool returnsAtOnce = false)
    {
        var channel = new GatewayChannel(books) { ReturnsAtOnce = returnsAtOnce };
        Link.Open(channel, FrameKind.Attach, attach.Encode());
        return channel;
    }

    public async ValueTask DisposeAsync()
    {
        await Link.DisposeAsync();
        await Ended;
    }

    private async Task ServeAsync(ClientStream client, Action<GatewayChannel>? attached)
    {
        try
        {
            if (await HandshakeAsync(client) is not { } established)
            {
                await client.ToClient.CompleteAsync();
                return;
            }

            var channel = Attach(new Attach
            {
                SessionId = established.SessionId,
                Capsule = established.Capsule,
                ClientSequence = established.ClientSequence,
                ServerSequence = established.ServerSequence,
                ConnectionId = 1,
                Client = ClientAddress,
                Server = ServerAddress,
            });
            attached?.Invoke(channel);
            await Task.WhenAll(SendAsync(client.FromClient, channel), ReceiveAsync(channel, client.ToClient));
        }
        catch (Exception e)
        {
            await client.ToClient.CompleteAsync(e);
        }
    }

    private async Task<Established?> HandshakeAsync(ClientStream client)
    {
        var channel = new TestChannel();
        Link.Open(channel, FrameKind.HandshakeStart, new HandshakeStart(1, ClientAddress, 10_000).Encode());
        while (true)
        {
            var records = await ReadRecordsAsync(client.FromClient, 4);
            if (records.IsEmpty)
            {
                channel.SendFrame(FrameKind.Close, (byte)CloseReason.ClientGone);
                return null;
            }

            channel.SendFrame(FrameKind.Handshake, records.ToArray());
            var frame = await channel.NextAsync();
            if (frame.Kind == FrameKind.Established)
            {
                var established = Established.Decode(frame.Payload);
                await client.ToClient.WriteAsync(established.Records);
                client.FromClient.AdvanceTo(records.GetPosition(established.Consumed));
                return established;
            }

            var (consumed, failed, flight) = Decode(frame);
            await client.ToClient.WriteAsync(flight);
            client.FromClient.AdvanceTo(records.GetPosition(consumed));
            if (failed)
                return null;
        }
    }

    private static (int Consumed, bool Failed, byte[] Records) Decode(Frame frame)
    {
        if (frame.Kind != FrameKind.Flight)
            throw new InvalidOperationException($"A {frame.Kind} frame in a handshake.");
        var flight = Flight.Decode(frame.Payload);
        return (flight.Consumed, flight.Failure != HandshakeFailure.None, flight.Records.ToArray());
    }

    private static async Task SendAsync(PipeReader client, GatewayChannel channel)
    {
        try
        {
            while (true)
            {
                // What fits into a turn in any case.
                var records = await ReadRecordsAsync(client, 3);
                if (records.IsEmpty)
                    break;
                var frame = records.ToArray();
                client.AdvanceTo(records.End);
                await channel.SendAsync(frame);
            }

            await channel.FlushedAsync();
            channel.SendEof();
        }
        catch (IOException)
        {
            channel.SendClose(CloseReason.ClientGone);
        }
    }

    private static async Task ReceiveAsync(GatewayChannel channel, PipeWriter client)
    {
        while (await channel.NextAsync() is { } records)
        {
            await client.WriteAsync(records);
            channel.Return(records.Length);
        }

        await client.CompleteAsync(await channel.Closed == CloseReason.Done || channel.IsDetached ? null : new IOException("connection reset by the gateway"));
    }

    /// <summary>Whole records, at most so many; they stay in the pipe until it is advanced. Empty at the end.</summary>
    private static async Task<ReadOnlySequence<byte>> ReadRecordsAsync(PipeReader reader, int most)
    {
        while (true)
        {
            var result = await reader.ReadAsync();
            var whole = WholeRecords(result.Buffer, most);
            if (whole > 0)
                return result.Buffer.Slice(0, whole);
            if (result.IsCompleted)
            {
                reader.AdvanceTo(result.Buffer.End);
                return default;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static long WholeRecords(ReadOnlySequence<byte> bytes, int most)
    {
        long whole = 0;
        Span<byte> head = stackalloc byte[RecordHeader.Size];
        for (var i = 0; i < most && bytes.Length - whole >= head.Length; i++)
        {
            bytes.Slice(whole, head.Length).CopyTo(head);
            var length = head.Length + ((head[3] << 8) | head[4]);
            if (bytes.Length - whole < length)
                break;
            whole += length;
        }

        return whole;
    }
}
