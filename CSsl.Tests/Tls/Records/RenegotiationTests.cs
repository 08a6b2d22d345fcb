using CSsl.Tls;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>RFC 5246 sections 7.2.2 and 7.4.1.2: a client asks, we decline.</summary>
public sealed class RenegotiationTests
{
    private const CipherSuite Suite = CipherSuite.EcdheRsaAes128GcmSha256;

    private static readonly byte[] Hello = [1, 0, 0, 100, .. new byte[100]];

    [Theory]
    [MemberData(nameof(TestSessions.Tls12), MemberType = typeof(TestSessions))]
    public void Request_is_answered_with_a_warning_and_data_goes_on(CipherSuite suite)
    {
        using var peer = new DataPhasePeer(suite);

        Assert.Equal(ReadStatus.ReplyPending, peer.Read(peer.Client.Seal(ContentType.Handshake, Hello)));
        var (type, content) = peer.TakePending();

        Assert.Equal(ContentType.Alert, type);
        Assert.Equal([(byte)AlertLevel.Warning, (byte)AlertDescription.NoRenegotiation], content);
        Assert.Equal(10, peer.ReadData(peer.Client.SealData(10)).Length);
        Assert.Equal(10, peer.Client.Open(peer.SealFromServer(10)).Content.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(50)]
    public void Request_is_reassembled_over_records_with_data_between_them(int fragmentLength)
    {
        using var peer = new DataPhasePeer(Suite);
        for (var at = 0; at < Hello.Length; at += fragmentLength)
        {
            var fragment = Hello[at..Math.Min(Hello.Length, at + fragmentLength)];
            var last = at + fragment.Length == Hello.Length;
            Assert.Equal(last ? ReadStatus.ReplyPending : ReadStatus.Handled, peer.Read(peer.Client.Seal(ContentType.Handshake, fragment)));
            Assert.Equal(5, peer.ReadData(peer.Client.SealData(5)).Length);
        }
    }

    [Fact]
    public void Requests_before_the_answer_get_one_answer()
    {
        using var peer = new DataPhasePeer(Suite);
        peer.Read(peer.Client.Seal(ContentType.Handshake, Hello));
        peer.Read(peer.Client.Seal(ContentType.Handshake, Hello));
        Assert.Equal(ContentType.Alert, peer.TakePending().Type);
    }

    [Fact]
    public void Requests_are_bounded_in_the_life_of_a_connection()
    {
        using var peer = new DataPhasePeer(Suite);
        for (var i = 0; i < RecordFloodGuard.MaxRenegotiationRequests; i++)
        {
            peer.Read(peer.Client.Seal(ContentType.Handshake, Hello));
            peer.TakePending();
            peer.ReadData(peer.Client.SealData(1));
        }

        Assert.Equal(AlertDescription.HandshakeFailure, peer.Refusal(peer.Client.Seal(ContentType.Handshake, Hello)));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    [InlineData(new byte[] { 2, 0, 0, 1, 0 })]
    [InlineData(new byte[] { 20, 0, 0, 12 })]
    [InlineData(new byte[] { 24, 0, 0, 1, 0 })]
    [InlineData(new byte[] { 1, 0, 0, 1, 0, 1 })]
    [InlineData(new byte[] { })]
    public void Other_messages_are_refused(byte[] content)
    {
        using var peer = new DataPhasePeer(Suite);
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.Seal(ContentType.Handshake, content)));
    }

    [Fact]
    public void Request_without_end_is_refused()
    {
        using var peer = new DataPhasePeer(Suite);
        Assert.Equal(AlertDescription.DecodeError, peer.Refusal(peer.Client.Seal(ContentType.Handshake, 1, 1, 0, 1)));
    }
}
