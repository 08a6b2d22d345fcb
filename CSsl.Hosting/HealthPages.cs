using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CSsl.Hosting;

/// <summary>What supervisors ask a process: does it live (else start it again), is it ready (else send it nobody)?</summary>
public static class HealthPages
{
    private const string ContentType = "text/plain; charset=utf-8";

    /// <summary>Adds /livez: it answers, so it lives, whatever became of the others.</summary>
    public static IServiceCollection AddLivePage(this IServiceCollection services, string endpoint)
        => services.AddAdminPage(endpoint, "/livez", static context =>
        {
            context.Response.ContentType = ContentType;
            return context.Response.WriteAsync("ok\n", context.RequestAborted);
        });

    /// <summary>Answers 200 "ok", or 503 with the reason.</summary>
    /// <param name="context">The request.</param>
    /// <param name="trouble">Why it is not ready; null when it is.</param>
    public static Task WriteReadinessAsync(this HttpContext context, string? trouble)
    {
        if (trouble is not null)
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = ContentType;
        return context.Response.WriteAsync($"{trouble ?? "ok"}\n", context.RequestAborted);
    }
}
