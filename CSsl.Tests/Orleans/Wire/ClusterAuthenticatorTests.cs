using System.Security.Cryptography;
using CSsl.EmbeddedCluster.Wire;
using Xunit;

namespace CSsl.Tests.Orleans.Wire;

public sealed class ClusterAuthenticatorTests
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private static readonly MessageHeader Header = new("/call", "127.0.0.1:1@2", 3, 4, Guid.NewGuid());

    [Fact]
    public void Request_mac_changes_with_everything_that_is_sent()
    {
        using var authenticator = new ClusterAuthenticator(Key, "dev");
        var mac = authenticator.SignRequest(Header, "body"u8);

        Assert.Equal(mac, authenticator.SignRequest(Header with { }, "body"u8));
        MessageHeader[] others = [Header with { Path = "/probe" }, Header with { To = "127.0.0.1:1@3" }, Header with { View = 4 }, Header with { Time = 5 }, Header with { Nonce = Guid.NewGuid() }];
        Assert.All(others, other => Assert.NotEqual(mac, authenticator.SignRequest(other, "body"u8)));
        Assert.NotEqual(mac, authenticator.SignRequest(Header, "bodY"u8));
    }

    [Fact]
    public void Response_mac_is_good_for_one_request_and_status_only()
    {
        using var authenticator = new ClusterAuthenticator(Key, "dev");
        var request = authenticator.SignRequest(Header, "body"u8);
        var mac = authenticator.SignResponse(200, request, "answer"u8);

        Assert.NotEqual(mac, authenticator.SignResponse(200, authenticator.SignRequest(Header with { Nonce = Guid.NewGuid() }, "body"u8), "answer"u8));
        Assert.NotEqual(mac, authenticator.SignResponse(410, request, "answer"u8));
        Assert.NotEqual(mac, authenticator.SignResponse(200, request, "Answer"u8));
        Assert.NotEqual(request, authenticator.SignResponse(200, "", "body"u8));
    }

    [Fact]
    public void Macs_differ_when_key_or_cluster_differ()
    {
        using var authenticator = new ClusterAuthenticator(Key, "dev");
        using var otherKey = new ClusterAuthenticator(RandomNumberGenerator.GetBytes(32), "dev");
        using var otherCluster = new ClusterAuthenticator(Key, "prod");

        Assert.NotEqual(authenticator.SignRequest(Header, []), otherKey.SignRequest(Header, []));
        Assert.NotEqual(authenticator.SignRequest(Header, []), otherCluster.SignRequest(Header, []));
    }
}
