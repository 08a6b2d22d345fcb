using System.Text.Json;
using CSsl.Grains.Aggregation;
using CSsl.Grains.Cluster;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace CSsl.Gateway.Admin;

/// <summary>GET /engines and POST /engines/settings: asks the silos how they aggregate, or tells them.</summary>
internal static class EngineEndpoint
{
    private const int MaxBytes = 4096;

    public static Task ShowAsync(HttpContext context)
        => AskAsync(context, context.Request.Query["silo"], static (grain, cancellationToken) => grain.Show(cancellationToken));

    public static async Task ChangeAsync(HttpContext context)
    {
        try
        {
            var request = await ReadAsync(context);
            var change = new AggregationChange { RecordsPerCall = request.RecordsPerCall, MaxDelay = request.MaxDelay };
            if (change.Problem() is { } problem)
                throw new FormatException(problem);
            await AskAsync(context, request.Silo, (grain, cancellationToken) => grain.Change(change, cancellationToken));
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, new EngineResponse { Error = e.Message });
        }
    }

    private static async Task AskAsync(HttpContext context, string? silo, Func<IAggregationGrain, CancellationToken, ValueTask<AggregationStatus>> call)
    {
        var view = context.RequestServices.GetRequiredService<ClusterViewHolder>().Current;
        string[] silos = [.. view.Silos.Where(each => each.Engine is not null && (silo is null || each.Name == silo)).Select(static each => each.Name).Order(StringComparer.Ordinal)];
        if (silo is not null && silos.Length == 0)
        {
            await WriteAsync(context, StatusCodes.Status404NotFound, new EngineResponse { Error = $"there is no data silo {silo}" });
            return;
        }

        var grains = context.RequestServices.GetRequiredService<IGrainFactory>();
        var engines = await Task.WhenAll(silos.Select(async name =>
        {
            try
            {
                return new SiloEngine(name, await call(grains.GetGrain<IAggregationGrain>(name), context.RequestAborted), null);
            }
            catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
            {
                return new SiloEngine(name, null, $"it can't be reached: {e.Message}");
            }
        }));
        await WriteAsync(context, engines.All(static engine => engine.Error is null) ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, new EngineResponse { Engines = engines });
    }

    private static async Task<EngineRequest> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength is null or > MaxBytes)
            throw new FormatException($"the request must have a length, of at most {MaxBytes} bytes");
        return await JsonSerializer.DeserializeAsync(context.Request.Body, GatewayAdminJson.Default.EngineRequest, context.RequestAborted)
            ?? throw new FormatException("the request is empty");
    }

    private static Task WriteAsync(HttpContext context, int status, EngineResponse response)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(response, GatewayAdminJson.Default.EngineResponse, contentType: null, context.RequestAborted);
    }
}
