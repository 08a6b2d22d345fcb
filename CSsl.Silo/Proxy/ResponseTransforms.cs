using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace CSsl.Silo.Proxy;

/// <summary>How the answers of origins are passed on: a head before its body, and an upgraded connection as a <see cref="Tunnel"/>. The last of the transforms: all headers are there.</summary>
internal sealed class ResponseTransforms(TimeProvider time) : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context) => context.AddResponseTransform(OnResponse);

    private ValueTask OnResponse(ResponseTransformContext context)
    {
        if (context.ProxyResponse is { } answer && !context.SuppressResponseBody)
            answer.Content = new ForwardedContent(answer.Content, IsUpgraded(answer) ? OpenTunnel(context, answer) : HeadFirst(context.HttpContext.Response));
        return ValueTask.CompletedTask;
    }

    private static Func<Stream, Stream> HeadFirst(HttpResponse response) => body => new HeadFirstStream(body, response);

    private Func<Stream, Stream> OpenTunnel(ResponseTransformContext context, HttpResponseMessage answer)
    {
        var http = context.HttpContext;
        var isLimited = http.Features.GetRequiredFeature<IReverseProxyFeature>().Cluster.Config.HttpRequest?.ActivityTimeout is not null;
        var tunnel = new Tunnel(http, OriginStream.Of(answer), time, isLimited ? context.CancellationToken : CancellationToken.None);
        if (http.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true })
            http.Features.Set<IHttpExtendedConnectFeature>(tunnel);
        else
            http.Features.Set<IHttpUpgradeFeature>(tunnel);
        return tunnel.Origin;
    }

    // RFC 8441 section 5: over HTTP/2 it is a 200.
    private static bool IsUpgraded(HttpResponseMessage answer)
        => answer.StatusCode == HttpStatusCode.SwitchingProtocols || (answer.StatusCode == HttpStatusCode.OK && answer.RequestMessage?.Method == HttpMethod.Connect);
}
