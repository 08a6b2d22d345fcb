using System.Buffers;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Handshake;

public sealed class ClientHelloPropertyTests
{
    private const int MaxHandshakeBytes = 16 * 1024;

    [Fact]
    public void Peek_never_throws_and_decides_alike_whatever_the_bytes_and_segments()
    {
        Prop.ForAll<byte[], int>((bytes, seed) => PeeksAlike(bytes, 1 + (Math.Abs(seed % 7)))).QuickCheckThrowOnFailure();
    }

    /// <summary>Random bytes seldom begin like a record; these all do, and go wrong at each byte of the header.</summary>
    [Fact]
    public void Peek_decides_alike_whatever_byte_of_the_header_is_wrong()
    {
        byte[] some = [0, 1, 2, 3, 4, 19, 20, 21, 22, 23, 24, 0x40, 0x80, 0xFF];
        foreach (var type in some)
        foreach (var major in some)
        foreach (var high in some)
        foreach (var low in some)
        for (var length = 1; length <= 6; length++)
        for (var pieces = 1; pieces <= length; pieces++)
            Assert.True(PeeksAlike(new byte[] { type, major, 1, high, low, 1 }.AsMemory(0, length), pieces), $"{type} {major} 1 {high} {low}, {length} bytes in pieces of {pieces}");
    }

    [Fact]
    public void Peek_reads_back_what_a_hello_was_built_of()
    {
        Prop.ForAll<byte[], ushort[], int>((sessionId, versions, fragment) =>
        {
            sessionId = sessionId[..Math.Min(32, sessionId.Length)];
            versions = versions[..Math.Min(127, versions.Length)];
            var builder = new HelloBuilder { SessionId = sessionId }.ServerName("Host.Example").Alpn("h2");
            var records = (versions.Length > 0 ? builder.Versions(versions) : builder).Records(1 + Math.Abs(fragment % 100));

            return ClientHello.Peek(new(records), MaxHandshakeBytes, out var hello, out _) == ClientHelloStatus.Complete
                && hello!.ServerName == "host.example"
                && hello.ApplicationProtocols is ["h2"]
                && hello.SessionId.Span.SequenceEqual(sessionId)
                && hello.SupportedVersions.SequenceEqual(versions.Length > 0 ? versions : [0x0303])
                && hello.RecordBytes == records.Length;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Peek_of_mutated_hellos_never_throws_and_decides_alike()
    {
        var random = new Random(20261122);
        for (var round = 0; round < 20_000; round++)
        {
            var hello = RecordedHellos.All[random.Next(RecordedHellos.All.Count)].ToArray();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
                hello[random.Next(hello.Length)] = (byte)random.Next(256);
            var input = hello.AsMemory(0, random.Next(10) == 0 ? random.Next(hello.Length) : hello.Length);

            Assert.True(PeeksAlike(input, random.Next(1, 64)));
        }
    }

    /// <summary>One look at all, and a reader that gets the bytes in pieces, must come to the same end.</summary>
    private static bool PeeksAlike(ReadOnlyMemory<byte> bytes, int pieceLength)
    {
        var atOnce = ClientHello.Peek(Segments.Of(bytes, pieceLength), MaxHandshakeBytes, out var hello, out var alert);
        var reader = new ClientHelloReader(MaxHandshakeBytes);
        var status = ClientHelloStatus.NeedMore;
        ClientHello? pieced = null;
        AlertDescription piecedAlert = default;
        for (var length = Math.Min(pieceLength, bytes.Length); status == ClientHelloStatus.NeedMore; length = Math.Min(length + pieceLength, bytes.Length))
        {
            status = reader.Peek(new ReadOnlySequence<byte>(bytes[..length]), out pieced, out piecedAlert);
            if (length == bytes.Length)
                break;
        }

        // SSLv2 is told by its third byte, which a piece of less does not have.
        return status == atOnce
            && (hello is null) == (pieced is null)
            && hello?.ServerName == pieced?.ServerName
            && hello?.RecordBytes == pieced?.RecordBytes
            && (alert == piecedAlert || status == ClientHelloStatus.NotTls);
    }
}
