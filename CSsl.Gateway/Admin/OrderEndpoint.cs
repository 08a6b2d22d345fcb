using System.Text.Json;
using CSsl.Grains.Cluster;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace CSsl.Gateway.Admin;

/// <summary>POST /orders: passes an operator's command on to the cluster grain.</summary>
internal static class OrderEndpoint
{
    private const int MaxBytes = 4096;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);

    public static async Task HandleAsync(HttpContext context)
    {
        var (status, response) = await AnswerAsync(context);
        context.Response.StatusCode = status;
        await context.Response.WriteAsJsonAsync(response, GatewayAdminJson.Default.OrderResponse, contentType: null, context.RequestAborted);
    }

    private static async Task<(int Status, OrderResponse Response)> AnswerAsync(HttpContext context)
    {
        SiloCommand command;
        try
        {
            command = Read(await ReadAsync(context));
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return (StatusCodes.Status400BadRequest, new OrderResponse { Error = e.Message });
        }

        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            timeout.CancelAfter(CallTimeout);
            var grain = context.RequestServices.GetRequiredService<IGrainFactory>().GetGrain<IClusterGrain>(0);
            CommandAnswer answer;
            while ((answer = await grain.Command(command, timeout.Token)).IsProvisional)
                await Task.Delay(RetryInterval, timeout.Token);
            return (StatusOf(answer.Outcome), new OrderResponse { Version = answer.Order?.Version ?? 0, Error = answer.Outcome == CommandOutcome.Ordered ? null : answer.Reason });
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            return (StatusCodes.Status503ServiceUnavailable, new OrderResponse { Error = $"the cluster grain can't be reached: {e.Message}" });
        }
    }

    private static async Task<OrderRequest> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength is null or > MaxBytes)
            throw new FormatException($"the request must have a length, of at most {MaxBytes} bytes");
        return await JsonSerializer.DeserializeAsync(context.Request.Body, GatewayAdminJson.Default.OrderRequest, context.RequestAborted)
            ?? throw new FormatException("the request is empty");
    }

    /// <exception cref="FormatException">A name is unknown.</exception>
    private static SiloCommand Read(OrderRequest request) => new()
    {
        Silo = request.Silo,
        Drain = request.Drain,
        Roles = request.Roles?.Aggregate(SiloRoles.None, static (roles, name) => roles | Parse<SiloRoles>(name)),
        Mode = request.Mode is { } mode ? Parse<RoleMode>(mode) : null,
        Force = request.Force,
    };

    private static T Parse<T>(string name)
        where T : struct, Enum
        => Enum.GetNames<T>().FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } known
            ? Enum.Parse<T>(known)
            : throw new FormatException($"'{name}' is none of {string.Join(", ", Enum.GetNames<T>())}");

    private static int StatusOf(CommandOutcome outcome) => outcome switch
    {
        CommandOutcome.Ordered => StatusCodes.Status200OK,
        CommandOutcome.NotStored => StatusCodes.Status503ServiceUnavailable,
        CommandOutcome.UnknownSilo => StatusCodes.Status404NotFound,
        _ => StatusCodes.Status409Conflict,
    };
}
