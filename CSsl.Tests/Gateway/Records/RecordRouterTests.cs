using CSsl.Gateway.Records;
using CSsl.Tls;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Gateway.Records;

/// <summary>The routing table, line by line.</summary>
public sealed class RecordRouterTests
{
    [Theory]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(23)]
    public void First_record_that_is_no_handshake_is_refused_with_unexpected_message(byte type)
    {
        var route = RecordRouter.For(ConnectionPhase.Hello, (ContentType)type);
        Assert.Equal(RouteTarget.Refuse, route.Target);
        Assert.Equal(AlertDescription.UnexpectedMessage, route.Alert);
    }

    [Fact]
    public void Client_hello_goes_to_a_handshake_silo()
        => Assert.Equal(RouteTarget.HandshakeSilo, RecordRouter.For(ConnectionPhase.Hello, ContentType.Handshake).Target);

    [Theory]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    public void Every_type_goes_to_the_handshake_silo_during_the_handshake_and_to_the_data_silo_after_it(byte type)
    {
        Assert.Equal(RouteTarget.HandshakeSilo, RecordRouter.For(ConnectionPhase.Handshake, (ContentType)type).Target);
        Assert.Equal(RouteTarget.DataSilo, RecordRouter.For(ConnectionPhase.Data, (ContentType)type).Target);
    }

    [Fact]
    public void Nothing_is_routed_once_the_connection_closes()
        => Assert.Throws<ArgumentOutOfRangeException>(() => RecordRouter.For(ConnectionPhase.Closing, ContentType.Alert));

    [Fact]
    public void Length_limit_follows_the_phase_and_the_version()
    {
        Assert.Equal(1 << 14, RecordRouter.MaxLength(ConnectionPhase.Hello));
        Assert.Equal((1 << 14) + 2048, RecordRouter.MaxLength(ConnectionPhase.Handshake));
        Assert.Equal((1 << 14) + 2048, RecordRouter.MaxLength(ConnectionPhase.Data, TlsVersion.Tls12));
        Assert.Equal((1 << 14) + 256, RecordRouter.MaxLength(ConnectionPhase.Data, TlsVersion.Tls13));
    }
}
