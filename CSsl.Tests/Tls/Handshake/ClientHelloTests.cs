using System.Buffers;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using Xunit;

namespace CSsl.Tests.Tls.Handshake;

public sealed class ClientHelloTests
{
    private const int MaxHandshakeBytes = 64 * 1024;

    [Fact]
    public void Peek_reads_the_hello_of_rfc_8448()
    {
        var hello = Complete(RecordedHellos.Rfc8448);

        Assert.Equal("server", hello.ServerName);
        Assert.Empty(hello.ApplicationProtocols);
        Assert.Equal(0, hello.SessionId.Length);
        Assert.Equal([0x0304], hello.SupportedVersions);
        Assert.True(hello.OffersSupportedVersion);
        Assert.Equal(RecordedHellos.Rfc8448.Length, hello.RecordBytes);
    }

    [Fact]
    public void Peek_reads_the_hello_of_curl()
    {
        var hello = Complete(RecordedHellos.Curl);

        Assert.Equal("www.example.com", hello.ServerName);
        Assert.Equal(["h2", "http/1.1"], hello.ApplicationProtocols);
        Assert.Equal(32, hello.SessionId.Length);
        Assert.Equal([0x0304, 0x0303, 0x0302, 0x0301], hello.SupportedVersions);
    }

    [Fact]
    public void Peek_reads_the_hellos_of_openssl_and_gnutls()
    {
        Assert.Equal([0x0303], Complete(RecordedHellos.OpenSsl12).SupportedVersions);
        Assert.Equal("example.com", Complete(RecordedHellos.OpenSsl12).ServerName);
        Assert.Null(Complete(RecordedHellos.OpenSsl13).ServerName);
        Assert.Equal("example.com", Complete(RecordedHellos.OpenSslMaxFrag).ServerName);
        Assert.Equal("example.com", Complete(RecordedHellos.GnuTls).ServerName);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(100)]
    [InlineData(1 << 14)]
    public void Peek_finds_the_same_hello_when_it_is_cut_into_records(int fragmentLength)
    {
        foreach (var record in RecordedHellos.All)
        {
            var whole = Complete(record);
            var cut = HelloBuilder.Records(record.AsSpan(5), fragmentLength);

            var hello = Complete([.. cut, 23, 3, 3]);

            Assert.Equal(whole.ServerName, hello.ServerName);
            Assert.Equal(whole.ApplicationProtocols, hello.ApplicationProtocols);
            Assert.Equal(whole.SessionId.ToArray(), hello.SessionId.ToArray());
            Assert.Equal(whole.SupportedVersions, hello.SupportedVersions);
            Assert.Equal(cut.Length, hello.RecordBytes);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Peek_needs_more_at_every_place_where_a_hello_is_cut(int fragmentLength)
    {
        var records = HelloBuilder.Records(RecordedHellos.Curl.AsSpan(5), fragmentLength);
        var reader = new ClientHelloReader(MaxHandshakeBytes);
        for (var length = 0; length < records.Length; length++)
        {
            Assert.Equal(ClientHelloStatus.NeedMore, ClientHello.Peek(new(records, 0, length), MaxHandshakeBytes, out var none, out _));
            Assert.Null(none);
            Assert.Equal(ClientHelloStatus.NeedMore, reader.Peek(new(records, 0, length), out none, out _));
            Assert.Null(none);
        }

        Assert.Equal(ClientHelloStatus.Complete, reader.Peek(new(records), out var hello, out _));
        Assert.Equal("www.example.com", hello!.ServerName);
    }

    [Fact]
    public void Peek_reads_input_in_segments_of_a_byte()
    {
        var records = HelloBuilder.Records(RecordedHellos.Curl.AsSpan(5), 3);

        Assert.Equal(ClientHelloStatus.Complete, ClientHello.Peek(Segments.Of(records, 1), MaxHandshakeBytes, out var hello, out _));
        Assert.Equal(["h2", "http/1.1"], hello!.ApplicationProtocols);
    }

    [Fact]
    public void Peek_takes_the_legacy_version_when_supported_versions_is_missing()
    {
        Assert.Equal([0x0303], Complete(new HelloBuilder { LegacyVersion = 0x0303 }.Records()).SupportedVersions);
        Assert.Equal([0x0303], Complete(new HelloBuilder { LegacyVersion = 0x0304 }.Records()).SupportedVersions);
        Assert.False(Complete(new HelloBuilder { LegacyVersion = 0x0302 }.Records()).OffersSupportedVersion);
        Assert.False(Complete(new HelloBuilder { LegacyVersion = 0x0300 }.Records()).OffersSupportedVersion);
        Assert.False(Complete(new HelloBuilder().Versions(0x0301, 0x7F1C).Records()).OffersSupportedVersion);
    }

    [Fact]
    public void Peek_keeps_a_bounded_number_of_protocols()
    {
        var hello = Complete(new HelloBuilder().Alpn(Enumerable.Range(0, 5000).Select(n => $"p{n}")).Records());

        Assert.Equal(Enumerable.Range(0, ClientHelloParser.MaxApplicationProtocols).Select(n => $"p{n}"), hello.ApplicationProtocols);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("\0\0\0\0")]
    public void Peek_says_not_tls_at_the_first_byte_of_something_else(string bytes)
    {
        var input = bytes.Select(c => (byte)c).ToArray();
        for (var length = 1; length <= input.Length; length++)
        {
            Assert.Equal(ClientHelloStatus.NotTls, ClientHello.Peek(new(input, 0, length), MaxHandshakeBytes, out _, out var alert));
            Assert.Equal(AlertDescription.CloseNotify, alert);
        }
    }

    [Fact]
    public void Peek_answers_an_sslv2_hello_with_protocol_version()
    {
        byte[] sslV2 = [0x80, 0x2E, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 7, 0, 0xC0];

        Assert.Equal(ClientHelloStatus.NotTls, ClientHello.Peek(new(sslV2), MaxHandshakeBytes, out _, out var alert));
        Assert.Equal(AlertDescription.ProtocolVersion, alert);
    }

    public static TheoryData<string, byte[], AlertDescription> Refusals => new()
    {
        { "version 2.0", [22, 2, 0, 0, 4], AlertDescription.ProtocolVersion },
        { "record too long", [22, 3, 1, 0x40, 1], AlertDescription.RecordOverflow },
        { "empty record", [22, 3, 1, 0, 0], AlertDescription.UnexpectedMessage },
        { "alert first", [21, 3, 1, 0, 2, 2, 40], AlertDescription.UnexpectedMessage },
        { "change_cipher_spec first", [20, 3, 1, 0, 1, 1], AlertDescription.UnexpectedMessage },
        { "application data first", [23], AlertDescription.UnexpectedMessage },
        { "another message", HelloBuilder.Record(22, [2, 0, 0, 0]), AlertDescription.UnexpectedMessage },
        { "message too long", HelloBuilder.Record(22, [1, 1, 0, 0]), AlertDescription.DecodeError },
        { "message just too long", HelloBuilder.Record(22, [1, 0, 0xFF, 0xFD]), AlertDescription.DecodeError },
        { "interrupted by an alert", [.. HelloBuilder.Record(22, [1, 0, 0]), .. HelloBuilder.Record(21, [1, 90])], AlertDescription.UnexpectedMessage },
        { "interrupted by noise", [.. HelloBuilder.Record(22, [1, 0, 0]), 99], AlertDescription.UnexpectedMessage },
        { "followed by another message", HelloBuilder.Record(22, [.. new HelloBuilder().Message(), 1]), AlertDescription.UnexpectedMessage },
        { "empty body", HelloBuilder.Record(22, [1, 0, 0, 0]), AlertDescription.DecodeError },
        { "session id too long", new HelloBuilder { SessionId = new byte[33] }.Records(), AlertDescription.DecodeError },
        { "no suites", new HelloBuilder { CipherSuites = [] }.Records(), AlertDescription.DecodeError },
        { "half a suite", new HelloBuilder { CipherSuites = [1, 2, 3] }.Records(), AlertDescription.DecodeError },
        { "no compression method", new HelloBuilder { CompressionMethods = [] }.Records(), AlertDescription.DecodeError },
        { "empty server name", new HelloBuilder().ServerName("").Records(), AlertDescription.DecodeError },
        { "server name list empty", new HelloBuilder().Extension(0, [0, 0]).Records(), AlertDescription.DecodeError },
        { "server name of another type", new HelloBuilder().Extension(0, [0, 4, 1, 0, 1, 65]).Records(), AlertDescription.DecodeError },
        { "bytes after the server name", new HelloBuilder().Extension(0, [0, 4, 0, 0, 1, 65, 0]).Records(), AlertDescription.DecodeError },
        { "server name with a zero", new HelloBuilder().ServerName("a\0b").Records(), AlertDescription.UnrecognizedName },
        { "server name not ASCII", new HelloBuilder().ServerName([0xC3, 0xA4]).Records(), AlertDescription.UnrecognizedName },
        { "server name of 256", new HelloBuilder().ServerName(new string('a', 256)).Records(), AlertDescription.UnrecognizedName },
        { "server name twice", new HelloBuilder().ServerName("a").ServerName("b").Records(), AlertDescription.IllegalParameter },
        { "no protocols", new HelloBuilder().Alpn().Records(), AlertDescription.DecodeError },
        { "empty protocol", new HelloBuilder().Alpn("h2", "").Records(), AlertDescription.DecodeError },
        { "protocols twice", new HelloBuilder().Alpn("h2").Alpn("h2").Records(), AlertDescription.IllegalParameter },
        { "no versions", new HelloBuilder().Versions().Records(), AlertDescription.DecodeError },
        { "half a version", new HelloBuilder().Extension(43, [3, 3, 4, 3]).Records(), AlertDescription.DecodeError },
        { "versions twice", new HelloBuilder().Versions(0x0304).Versions(0x0304).Records(), AlertDescription.IllegalParameter },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Peek_refuses_with_the_alert_that_says_why(string what, byte[] input, AlertDescription expected)
    {
        Assert.Equal(ClientHelloStatus.Refused, ClientHello.Peek(new(input), MaxHandshakeBytes, out var hello, out var alert));
        Assert.Null(hello);
        Assert.True(alert == expected, $"{what}: {alert} instead of {expected}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1 << 14)]
    public void Peek_accepts_the_longest_hello_there_is(int recordLength)
    {
        var message = HelloBuilder.Longest();
        Assert.Equal((131_400, 131_400), (message.Length, ClientHelloReader.MaxMessageLength));
        var records = HelloBuilder.Records(message, recordLength);

        Assert.Equal(ClientHelloStatus.Complete, ClientHello.Peek(new(records), int.MaxValue, out var hello, out _));

        Assert.Equal((message.Length, records.Length), (hello!.MessageBytes, hello.RecordBytes));
    }

    [Fact]
    public void Peek_refuses_a_longer_hello_at_its_first_bytes()
    {
        var length = ClientHelloReader.MaxMessageLength - 4 + 1;
        var start = HelloBuilder.Record(22, [1, (byte)(length >> 16), (byte)(length >> 8), (byte)length]);
        Assert.Equal(ClientHelloStatus.Refused, ClientHello.Peek(new(start), int.MaxValue, out _, out var alert));
        Assert.Equal(AlertDescription.DecodeError, alert);
    }

    [Fact]
    public void Peek_accepts_a_hello_of_the_greatest_length()
    {
        var message = new HelloBuilder().Extension(21, new byte[MaxHandshakeBytes - 51]).Message();
        Assert.Equal(MaxHandshakeBytes, message.Length);

        Assert.Equal(message.Length + (4 * 5), Complete(HelloBuilder.Records(message, 1 << 14)).RecordBytes);
    }

    private static ClientHello Complete(byte[] input)
    {
        Assert.Equal(ClientHelloStatus.Complete, ClientHello.Peek(new(input), MaxHandshakeBytes, out var hello, out _));
        return hello!;
    }
}
