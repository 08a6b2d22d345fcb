using System.Text;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace CSsl.Silo.Proxy;

/// <summary>Makes the clients that YARP asks origins with, one per cluster, with the connections of all bounded.</summary>
internal sealed class OriginClientFactory(OriginConnections connections, ILogger<ForwarderHttpClientFactory> logger) : ForwarderHttpClientFactory(logger)
{
    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        // RFC 9110 section 5.5: octets above 0x7F are opaque. Latin-1 carries each one as it is. The cluster's own choice goes before.
        handler.RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
        handler.ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
        base.ConfigureHandler(context, handler);
        handler.ActivityHeadersPropagator = null;
        connections.Bound(handler);
        handler.PlaintextStreamFilter = static (context, _) => ValueTask.FromResult<Stream>(new OriginStream(context.PlaintextStream));
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) => new UpgradeFollower(handler);

    /// <summary>Follows requests that ask for an upgrade to their connection.</summary>
    private sealed class UpgradeFollower(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => request.Headers.NonValidated.Contains("Upgrade") ? FollowAsync(request, cancellationToken) : base.SendAsync(request, cancellationToken);

        // Async for its own execution context: what follows one request must not follow the next.
        private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            OriginStream.Follow(request);
            return await base.SendAsync(request, cancellationToken);
        }
    }
}
