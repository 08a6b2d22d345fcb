using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace CSsl.Silo.Proxy;

/// <summary>Gives a line of text to answers that the proxy itself makes (no route, no origin, a timeout). The origin's own answers stay as they are.</summary>
internal static class ErrorPages
{
    /// <summary>Writes the body of an answer that has none, if it is the proxy's own.</summary>
    public static Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted || response.StatusCode < 400 || context.RequestAborted.IsCancellationRequested || IsFromOrigin(context))
            return Task.CompletedTask;
        var text = $"{response.StatusCode} {ReasonPhrases.GetReasonPhrase(response.StatusCode)}\n";
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = text.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.WriteAsync(text, context.RequestAborted);
    }

    private static bool IsFromOrigin(HttpContext context)
        => context.Features.Get<IForwarderErrorFeature>() is null && context.Features.Get<IReverseProxyFeature>()?.ProxiedDestination is not null;
}
