using System.Net;
using System.Security.Cryptography;
using CSsl.EmbeddedCluster.Cluster;
using CSsl.EmbeddedCluster.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Wire;

/// <summary>Connections that end under a message: only what nobody can have run may be sent to another silo.</summary>
public sealed class SiloTransportTests
{
    [Fact]
    public async Task Message_of_which_nothing_was_sent_is_undelivered()
    {
        var thrown = await SendAsync<UndeliveredException>(static _ => Task.CompletedTask);

        Assert.IsType<HttpRequestException>(thrown.InnerException);
    }

    [Fact]
    public Task Message_that_was_sent_may_have_had_its_effect() => SendAsync<SiloUnavailableException>(static content => content.CopyToAsync(Stream.Null));

    private static async Task<TException> SendAsync<TException>(Func<HttpContent, Task> sending)
        where TException : Exception
    {
        await using var cluster = new TestCluster();
        using var membership = new Membership(await cluster.OpenTableAsync());
        using var authenticator = new ClusterAuthenticator(RandomNumberGenerator.GetBytes(32), "test");
        using var transport = new SiloTransport(authenticator, membership, 1 << 20, TimeProvider.System, NullLogger.Instance, new LostConnection(sending));
        var silo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1);
        return await Assert.ThrowsAsync<TException>(() => transport.SendAsync<Empty>(silo, Operations.Probe, Empty.Instance, TimeSpan.FromSeconds(20), default));
    }

    /// <summary>As .NET says that a server closes the connection with GOAWAY, whatever it has taken before.</summary>
    private sealed class LostConnection(Func<HttpContent, Task> sending) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await sending(request.Content!);
            throw new HttpRequestException(HttpRequestError.HttpProtocolError, "The HTTP/2 server closed the connection.", new HttpProtocolException(0, "NO_ERROR", null));
        }
    }
}
