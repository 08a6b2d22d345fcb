using CSsl.Link;
using CSsl.Tests.Link;
using CSsl.Tests.Tls.Handshake;
using CSsl.Tls;
using CSsl.Tls.Handshake;

namespace CSsl.Tests.Gateway;

/// <summary>The steps of a connection that most tests begin with.</summary>
internal static class Walk
{
    public static readonly Guid SessionId = new("11111111-2222-3333-4444-555555555555");
    public static readonly byte[] Capsule = [9, 9, 9];
    public static readonly byte[] Hello = new HelloBuilder().Versions(0x0304, 0x0303).ServerName("example.com").Records();

    /// <summary>The silo's first answer, and its last.</summary>
    public static readonly byte[] ServerHello = Record(22, 100);
    public static readonly byte[] Tickets = Record(23, 60);

    /// <summary>The client's second flight.</summary>
    public static readonly byte[] Finished = Record(23, 53);

    /// <summary>A record of noise.</summary>
    public static byte[] Record(byte type, int length, byte fill = 7)
    {
        var record = new byte[5 + length];
        new byte[] { type, 3, 3, (byte)(length >> 8), (byte)length }.CopyTo(record, 0);
        record.AsSpan(5).Fill(fill);
        return record;
    }

    public static byte[] FlightOf(int consumed, byte[] records, HandshakeFailure failure = HandshakeFailure.None, string detail = "") => new Flight(consumed, failure, detail, records).Encode();

    public static byte[] EstablishedOf(int consumed, byte[] records, TlsVersion version = TlsVersion.Tls13, string? protocol = null) => new Established
    {
        Consumed = consumed,
        SessionId = SessionId,
        Capsule = Capsule,
        ClientSequence = 3,
        ServerSequence = 5,
        Version = version,
        CipherSuite = CipherSuite.Aes128GcmSha256,
        Resumed = false,
        ApplicationProtocol = protocol,
        Records = records,
    }.Encode();

    /// <summary>Takes the hello at the silo.</summary>
    public static async Task<TestChannel> TakeHelloAsync(this ScriptedSilo silo)
    {
        var channel = await silo.NextAsync();
        await channel.NextAsync(FrameKind.HandshakeStart);
        return channel;
    }

    /// <summary>A handshake from hello to tickets, and the channel of the data phase at the silo. What the client sends with its Finished goes to the data phase.</summary>
    public static async Task<TestChannel> EstablishAsync(this ScriptedSilo silo, TestClient client, TlsVersion version = TlsVersion.Tls13, string? protocol = null, params byte[] remainder)
    {
        await client.Connection.SendAsync(Hello);
        var handshake = await silo.TakeHelloAsync();
        await handshake.NextAsync(FrameKind.Handshake);
        handshake.SendFrame(FrameKind.Flight, FlightOf(Hello.Length, ServerHello));
        await client.Connection.ReadAsync(ServerHello.Length);
        await client.Connection.SendAsync([.. Finished, .. remainder]);
        await handshake.NextAsync(FrameKind.Handshake);
        handshake.SendFrame(FrameKind.Established, EstablishedOf(Finished.Length, Tickets, version, protocol));
        await client.Connection.ReadAsync(Tickets.Length);
        var data = await silo.NextAsync();
        await data.NextAsync(FrameKind.Attach);
        return data;
    }

    /// <summary>The silo sends records, which carry so many bytes of the application's.</summary>
    public static void SendToClient(this TestChannel channel, byte[] records, int applicationBytes = 0)
    {
        var payload = new byte[RecordsPrefix.Length + records.Length];
        RecordsPrefix.Write(payload, applicationBytes);
        records.CopyTo(payload, RecordsPrefix.Length);
        channel.SendRecords(payload);
    }

    /// <summary>The records that come next, so many bytes of them.</summary>
    public static async Task<byte[]> NextRecordsAsync(this TestChannel channel, int length)
    {
        var records = new List<byte>();
        while (records.Count < length)
            records.AddRange(await channel.NextAsync(FrameKind.Records));
        return [.. records];
    }
}
