using CSsl.Cli.Sessions;
using CSsl.Grains.Data;
using Xunit;

namespace CSsl.Tests.Cli;

/// <summary>What <c>cssl session show</c> says.</summary>
public sealed class SessionViewTests
{
    [Theory]
    [InlineData(0, "taken over   0 times")]
    [InlineData(1, "taken over   1 time")]
    [InlineData(2, "taken over   2 times")]
    public void Takeovers_are_counted_in_words_that_fit(int takeovers, string line)
    {
        var session = new SessionInfo
        {
            SessionId = Guid.Empty,
            Gateway = "gateway-1",
            Client = "192.0.2.1:4711",
            Version = "TLSv1.3",
            CipherSuite = "TLS_AES_128_GCM_SHA256",
            EstablishedAt = DateTimeOffset.UnixEpoch,
            Takeovers = takeovers,
        };

        Assert.Contains(line, SessionView.Describe(session, DateTimeOffset.UnixEpoch));
    }
}
