using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace CSsl.Cli.Origin;

/// <summary><c>/slow</c> and <c>/sse</c>: answers that take their time.</summary>
internal static class PaceEndpoints
{
    private const int LongestMilliseconds = 10 * 60 * 1000;

    /// <summary>Answers after <c>ms</c> milliseconds (1,000 when not given).</summary>
    public static async Task SlowAsync(HttpContext context, int ms = 1000)
    {
        await Task.Delay(Math.Clamp(ms, 0, LongestMilliseconds), context.RequestAborted);
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"waited {ms} ms\n"));
    }

    /// <summary>Server-sent events: <c>count</c> of them (10), one every <c>ms</c> milliseconds (1,000), each flushed.</summary>
    public static async Task EventsAsync(HttpContext context, int count = 10, int ms = 1000)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        for (var number = 1; number <= count; number++)
        {
            if (number > 1)
                await Task.Delay(Math.Clamp(ms, 0, LongestMilliseconds), context.RequestAborted);
            await context.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"id: {number}\ndata: event {number} of {count}\n\n"), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
