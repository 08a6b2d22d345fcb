using Microsoft.AspNetCore.Http;

namespace CSsl.Cli.Origin;

/// <summary><c>/die?after=N</c>: an origin that breaks in the middle of a response. What it sent must never look complete to the client.</summary>
internal static class DieEndpoint
{
    /// <summary>Sends <paramref name="after"/> bytes of a longer body, then cuts the connection. With <c>chunked=true</c> no length is announced: the last
    /// chunk is what is missing.</summary>
    public static async Task ServeAsync(HttpContext context, long after = 0, bool chunked = false)
    {
        context.Response.ContentType = "application/octet-stream";
        if (!chunked)
            context.Response.ContentLength = Math.Clamp(after, 0, long.MaxValue / 4) * 2 + 1;
        await context.Response.StartAsync(context.RequestAborted);
        await BytesEndpoint.WriteAsync(context.Response.BodyWriter, 0, after, context.RequestAborted);
        context.Abort();
    }
}
