using System.Net;
using CSsl.Link;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Link;

/// <summary>Every message is one byte string, and every byte string at most one message.</summary>
public class MessageTests
{
    private static readonly Gen<ulong> AnyU64 = ArbMap.Default.GeneratorFor<ulong>();
    private static readonly Gen<Guid> AnyGuid = ArbMap.Default.GeneratorFor<Guid>();
    private static readonly Gen<int> AnyCount = Gen.OneOf(Gen.Choose(0, 70_000), Gen.Constant(int.MaxValue), Gen.Constant(0));
    private static readonly Gen<bool> AnyBool = ArbMap.Default.GeneratorFor<bool>();

    private static readonly Gen<IPEndPoint> AnyEndPoint =
        from v6 in AnyBool
        from address in Bytes(v6 ? 16 : 4, v6 ? 16 : 4)
        from scope in Gen.Elements(0u, 1u, uint.MaxValue)
        from port in Gen.Choose(0, ushort.MaxValue)
        select new IPEndPoint(v6 ? new IPAddress(address, scope) : new IPAddress(address), port);

    private static readonly Gen<string?> AnyText = Gen.Elements<string?>(null, "h2", "http/1.1", "example.com", "müller.example", new string('x', 255));

    private static readonly Gen<HandshakeStart> AnyHandshakeStart =
        from connection in AnyU64
        from client in AnyEndPoint
        from deadline in AnyCount
        from dataSilo in AnyText
        select new HandshakeStart(connection, client, deadline, dataSilo);

    private static readonly Gen<Established> AnyEstablished =
        from consumed in AnyCount
        from session in AnyGuid
        from client in AnyU64
        from server in AnyU64
        from version in Gen.Elements(Enum.GetValues<TlsVersion>())
        from suite in Gen.Elements(Enum.GetValues<CipherSuite>())
        from resumed in AnyBool
        from grouped in AnyBool
        from theGroup in Gen.Elements(Enum.GetValues<NamedGroup>())
        from protocol in AnyText
        from name in AnyText
        from capsule in Bytes(1, 3000)
        from records in Bytes(0, 3000)
        select new Established
        {
            Consumed = consumed,
            SessionId = session,
            ClientSequence = client,
            ServerSequence = server,
            Version = version,
            CipherSuite = suite,
            Resumed = resumed,
            Group = grouped ? theGroup : null,
            ApplicationProtocol = protocol,
            ServerName = name,
            Capsule = capsule,
            Records = records,
        };

    private static readonly Gen<(HandshakeFailure Failure, string Detail)> AnyFailure =
        from failure in Gen.Elements(Enum.GetValues<HandshakeFailure>())
        from detail in Gen.Elements("", "no shared cipher", "bücher \U0001F512")
        select (failure, failure == HandshakeFailure.None ? "" : detail);

    private static readonly Gen<Attach> AnyAttach =
        from session in AnyGuid
        from client in AnyU64
        from server in AnyU64
        from connection in AnyU64
        from remote in AnyEndPoint
        from local in AnyEndPoint
        from capsule in Bytes(1, 3000)
        from cause in Gen.Elements(Enum.GetValues<AttachCause>())
        from takeovers in ArbMap.Default.GeneratorFor<ushort>()
        from generation in ArbMap.Default.GeneratorFor<uint>()
        from updates in ArbMap.Default.GeneratorFor<byte>()
        from replay in AnyCount
        from replayable in AnyBool
        from delivered in AnyU64
        from response in Bytes(0, ResponseNote.MaxLength)
        let takeover = cause == AttachCause.Takeover
        select new Attach
        {
            SessionId = session,
            ClientSequence = client,
            ServerSequence = server,
            ConnectionId = connection,
            Client = remote,
            Server = local,
            Capsule = capsule,
            Cause = cause,
            Takeovers = takeovers,
            Generation = generation,
            KeyUpdates = takeover ? updates : (byte)0,
            ReplayRecords = takeover ? replay : 0,
            IsReplayable = !takeover || replayable,
            DeliveredBytes = takeover ? delivered : 0,
            Response = takeover ? response : default,
        };

    [Fact]
    public void HandshakeStart_decodes_to_what_was_encoded()
        => Prop.ForAll(AnyHandshakeStart.ToArbitrary(), start => HandshakeStart.Decode(start.Encode()) == start).QuickCheckThrowOnFailure();

    [Fact]
    public void Flight_decodes_to_what_was_encoded()
        => Prop.ForAll(AnyCount.ToArbitrary(), AnyFailure.ToArbitrary(), Bytes(0, 3000).ToArbitrary(), (consumed, why, records) =>
        {
            var flight = Flight.Decode(new Flight(consumed, why.Failure, why.Detail, records).Encode());
            return flight.Consumed == consumed && (flight.Failure, flight.Detail) == why && flight.Records.SequenceEqual(records);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Flight_shortens_its_detail_by_whole_characters()
    {
        var sent = new string('a', Flight.MaxDetail - 1) + "\u20AC and more";

        var flight = Flight.Decode(new Flight(7, HandshakeFailure.Malformed, sent, [1, 2]).Encode());

        Assert.Equal(new string('a', Flight.MaxDetail - 1), flight.Detail);
        Assert.Equal(new byte[] { 1, 2 }, flight.Records.ToArray());
    }

    [Fact]
    public void Established_decodes_to_what_was_encoded()
        => Prop.ForAll(AnyEstablished.ToArbitrary(), sent =>
        {
            var got = Established.Decode(sent.Encode());
            return got with { Capsule = sent.Capsule, Records = sent.Records } == sent
                && got.Capsule.Span.SequenceEqual(sent.Capsule.Span)
                && got.Records.Span.SequenceEqual(sent.Records.Span);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Attach_decodes_to_what_was_encoded()
        => Prop.ForAll(AnyAttach.ToArbitrary(), sent =>
        {
            var got = Attach.Decode(sent.Encode());
            return got with { Capsule = sent.Capsule, Response = sent.Response } == sent
                && got.Capsule.Span.SequenceEqual(sent.Capsule.Span)
                && got.Response.Span.SequenceEqual(sent.Response.Span);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Checkpoint_Detach_and_Rekeyed_decode_to_what_was_encoded()
        => Prop.ForAll(AnyU64.ToArbitrary(), AnyU64.ToArbitrary(), Bytes(0, 3000).ToArbitrary(), (client, server, capsule) =>
        {
            var checkpoint = Checkpoint.Decode(new Checkpoint { ClientRecord = client, ServerRecord = server, Capsule = capsule }.Encode());
            var detach = Detach.Decode(new Detach { ClientRecord = client, ServerRecord = server, Capsule = capsule, Reason = DetachReason.Drain }.Encode());
            var rekeyed = Rekeyed.Decode(new Rekeyed { ServerRecord = server, Capsule = (byte[])[1, .. capsule] }.Encode());
            return (checkpoint.ClientRecord, checkpoint.ServerRecord) == (client, server) && checkpoint.Capsule.Span.SequenceEqual(capsule)
                && (detach.ClientRecord, detach.ServerRecord, detach.Reason) == (client, server, DetachReason.Drain) && detach.Capsule.Span.SequenceEqual(capsule)
                && rekeyed.ServerRecord == server && rekeyed.Capsule.Span[1..].SequenceEqual(capsule);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Records_of_a_silo_have_a_prefix_that_fits_them()
    {
        byte[] payload = [9, 9, 9, 9, 23, 3, 3, 0, 2, 7, 7];
        RecordsPrefix.Write(payload, 6);
        Assert.Equal("06000000", Convert.ToHexString(payload, 0, RecordsPrefix.Length));
        Assert.True(RecordsPrefix.Read(payload, out var applicationBytes).SequenceEqual(payload.AsSpan(RecordsPrefix.Length)));
        Assert.Equal(6, applicationBytes);

        RecordsPrefix.Write(payload, 7);
        Assert.Throws<LinkException>(() => RecordsPrefix.Read(payload, out _).Length);
        RecordsPrefix.Write(payload, -1);
        Assert.Throws<LinkException>(() => RecordsPrefix.Read(payload, out _).Length);
        Assert.Throws<LinkException>(() => RecordsPrefix.Read(new byte[RecordsPrefix.Length], out _).Length);
        Assert.Throws<LinkException>(() => RecordsPrefix.Read(new byte[RecordsPrefix.Length - 1], out _).Length);
    }

    [Fact]
    public void ResponseNote_is_never_empty_nor_longer_than_its_limit()
    {
        var longest = new byte[ResponseNote.MaxLength];
        Assert.Equal(longest, ResponseNote.Decode(new ResponseNote(longest).Encode()).Sealed);
        Assert.Throws<ArgumentException>(() => new ResponseNote([]).Encode());
        Assert.Throws<ArgumentException>(() => new ResponseNote(new byte[ResponseNote.MaxLength + 1]).Encode());
        Assert.Throws<LinkException>(() => ResponseNote.Decode([]).Sealed.Length);
        Assert.Throws<LinkException>(() => ResponseNote.Decode(new byte[ResponseNote.MaxLength + 1]).Sealed.Length);
    }

    [Fact]
    public void Attach_says_what_only_a_takeover_may_in_a_takeover_only()
    {
        var wake = AnyAttach.Sample(1).First() with { Cause = AttachCause.Wake, KeyUpdates = 0, ReplayRecords = 0, IsReplayable = true, DeliveredBytes = 0, Response = default };
        Assert.Equal(AttachCause.Wake, Attach.Decode(wake.Encode()).Cause);
        Assert.Throws<ArgumentException>(() => (wake with { ReplayRecords = 1 }).Encode());
        Assert.Throws<ArgumentException>(() => (wake with { KeyUpdates = 1 }).Encode());
        Assert.Throws<ArgumentException>(() => (wake with { IsReplayable = false }).Encode());
        Assert.Throws<ArgumentException>(() => (wake with { DeliveredBytes = 1 }).Encode());
        Assert.Throws<ArgumentException>(() => (wake with { Response = new byte[1] }).Encode());
        Assert.Throws<ArgumentException>(() => (wake with { Cause = (AttachCause)4 }).Encode());
        Assert.Throws<ArgumentException>(() => (wake with { Cause = AttachCause.Takeover, Response = new byte[ResponseNote.MaxLength + 1] }).Encode());
        var unknown = wake.Encode();
        unknown[^7] = 4;
        Assert.Throws<LinkException>(() => Attach.Decode(unknown));
    }

    [Fact]
    public void Payload_that_is_to_name_a_silo_names_one()
    {
        Assert.Throws<ArgumentException>(() => new MoveTarget("").Encode());
        Assert.Throws<ArgumentException>(() => new HandOver { ClientRecord = 7, Silo = "" }.Encode());
        Assert.Throws<ArgumentException>(() => new Detach { ClientRecord = 7, ServerRecord = 9, Reason = DetachReason.Move, Silo = "" }.Encode());
        Assert.Equal("MoveTarget names no silo.", Assert.Throws<LinkException>(() => MoveTarget.Decode([0])).Message);
        Assert.Equal("HandOver names no silo.", Assert.Throws<LinkException>(() => HandOver.Decode(new byte[9])).Message);
        Assert.Equal("Detach names no silo.", Assert.Throws<LinkException>(() => Detach.Decode([.. new byte[18], (byte)DetachReason.Move, 0])).Message);
    }

    [Fact]
    public void Close_decodes_every_reason_and_nothing_else()
    {
        for (var value = 0; value <= byte.MaxValue; value++)
        {
            byte[] payload = [(byte)value];
            if (Enum.IsDefined((CloseReason)value))
                Assert.Equal((CloseReason)value, Close.Decode(payload).Reason);
            else
                Assert.Throws<LinkException>(() => Close.Decode(payload));
        }

        Assert.Equal([(byte)CloseReason.BadCapsule], new Close(CloseReason.BadCapsule).Encode());
        Assert.Throws<LinkException>(() => Close.Decode([]));
        Assert.Throws<LinkException>(() => Close.Decode([0, 0]));
    }

    public static TheoryData<string> Codecs => new(Samples.Keys);

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Message_is_refused_when_it_is_cut_short(string name)
    {
        var (sample, decodeAndEncode, fixedLength) = Samples[name];
        for (var length = 0; length < fixedLength; length++)
        {
            var cut = sample[..length];
            Assert.Throws<LinkException>(() => decodeAndEncode(cut));
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Message_is_refused_or_exactly_what_it_encodes_to_after_any_mutation(string name)
    {
        var (sample, decodeAndEncode, _) = Samples[name];
        var random = new Random(20261122);
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var mutant = Mutation.Of(sample, random);
            try
            {
                Assert.Equal(mutant, decodeAndEncode(mutant));
            }
            catch (LinkException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 19_999);
    }

    [Fact]
    public void Established_is_refused_when_version_or_suite_is_unknown()
    {
        var payload = Samples[nameof(Established)].Sample;
        const int VersionAt = 4 + 16 + 8 + 8;
        Assert.Throws<LinkException>(() => Established.Decode([.. payload[..VersionAt], 0x02, 0x03, .. payload[(VersionAt + 2)..]]));
        Assert.Throws<LinkException>(() => Established.Decode([.. payload[..(VersionAt + 2)], 0x05, 0x00, .. payload[(VersionAt + 4)..]]));
    }

    [Fact]
    public void Message_does_not_encode_when_a_field_is_too_long()
    {
        var attach = AnyAttach.Sample(1).First();
        Assert.Throws<ArgumentException>(() => (attach with { Capsule = new byte[65536] }).Encode());
        Assert.Throws<ArgumentException>(() => (attach with { Capsule = default }).Encode());
        Assert.Throws<ArgumentException>(() => new Flight(0, HandshakeFailure.None, "", new byte[LinkChannel.MaxPayload]).Encode());
        Assert.Throws<ArgumentOutOfRangeException>(() => new Flight(-1, HandshakeFailure.None, "", []).Encode());
        var established = AnyEstablished.Sample(1).First();
        Assert.Throws<ArgumentException>(() => (established with { ServerName = new string('ü', 128) }).Encode());
    }

    private static Dictionary<string, (byte[] Sample, Func<byte[], byte[]> DecodeAndEncode, int FixedLength)> Samples { get; } = MakeSamples();

    private static Dictionary<string, (byte[], Func<byte[], byte[]>, int)> MakeSamples()
    {
        var v4 = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 54321);
        var v6 = new IPEndPoint(IPAddress.Parse("fe80::1%7"), 443);
        var start = new HandshakeStart(7, v6, 10_000).Encode();
        var flight = new Flight(517, HandshakeFailure.None, "", [22, 3, 3, 0, 1, 0]).Encode();
        var established = new Established
        {
            Consumed = 80,
            SessionId = Guid.NewGuid(),
            ClientSequence = 0,
            ServerSequence = 2,
            Version = TlsVersion.Tls13,
            CipherSuite = CipherSuite.Aes128GcmSha256,
            Resumed = true,
            ApplicationProtocol = "h2",
            ServerName = "example.com",
            Capsule = new byte[40],
            Records = new byte[9],
        }.Encode();
        var attach = new Attach
        {
            SessionId = Guid.NewGuid(),
            ClientSequence = 1,
            ServerSequence = 2,
            ConnectionId = 3,
            Client = v4,
            Server = v6,
            Capsule = new byte[40],
        }.Encode();
        var takeover = (Attach.Decode(attach) with { Cause = AttachCause.Takeover, Takeovers = 1, ReplayRecords = 2, IsReplayable = false, DeliveredBytes = 12345, Response = new byte[30] }).Encode();
        var checkpoint = new Checkpoint { ClientRecord = 7, ServerRecord = 9, Capsule = new byte[40] }.Encode();
        var detach = new Detach { ClientRecord = 7, ServerRecord = 9, Capsule = default, Reason = DetachReason.Drain }.Encode();
        var moved = new Detach { ClientRecord = 7, ServerRecord = 9, Capsule = new byte[40], Reason = DetachReason.Move, Silo = "data-2" }.Encode();
        var move = new MoveTarget("data-2").Encode();
        var handOver = new HandOver { ClientRecord = 7, Silo = "data-2" }.Encode();
        var rekeyed = new Rekeyed { ServerRecord = 9, Capsule = new byte[40] }.Encode();
        return new()
        {
            [nameof(HandshakeStart)] = (start, b => HandshakeStart.Decode(b).Encode(), start.Length),
            [nameof(Flight)] = (flight, b => Flight.Decode(b).Encode(), 5),
            [nameof(Established)] = (established, b => Established.Decode(b).Encode(), established.Length - 9),
            [nameof(Attach)] = (attach, b => Attach.Decode(b).Encode(), attach.Length),
            [nameof(AttachCause.Takeover)] = (takeover, b => Attach.Decode(b).Encode(), takeover.Length),
            [nameof(Checkpoint)] = (checkpoint, b => Checkpoint.Decode(b).Encode(), checkpoint.Length),
            [nameof(Detach)] = (detach, b => Detach.Decode(b).Encode(), detach.Length),
            [nameof(DetachReason.Move)] = (moved, b => Detach.Decode(b).Encode(), moved.Length),
            [nameof(MoveTarget)] = (move, b => MoveTarget.Decode(b).Encode(), move.Length),
            [nameof(HandOver)] = (handOver, b => HandOver.Decode(b).Encode(), handOver.Length),
            [nameof(Rekeyed)] = (rekeyed, b => Rekeyed.Decode(b).Encode(), rekeyed.Length),
        };
    }

    private static Gen<byte[]> Bytes(int least, int most)
        => from length in Gen.Choose(least, most)
        from bytes in ArbMap.Default.GeneratorFor<byte>().ArrayOf(length)
        select bytes;
}
