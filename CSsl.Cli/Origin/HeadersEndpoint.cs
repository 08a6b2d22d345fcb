using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CSsl.Cli.Origin;

/// <summary><c>/headers</c>: the request as the origin got it.</summary>
internal static class HeadersEndpoint
{
    public static Task ServeAsync(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var text = new StringBuilder($"{context.Request.Method} {target} {context.Request.Protocol}\n");
        foreach (var (name, values) in context.Request.Headers)
        {
            foreach (var value in values)
                text.Append(name).Append(": ").Append(value).Append('\n');
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text.ToString());
    }
}
