using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using CSsl.Gateway.Connections;
using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace CSsl.Gateway.Admin;

/// <summary>
/// GET /sessions and /session, POST /session/end and /session/move: any session of the cluster. One that is awake is asked and told through its grain; one that sleeps, or is too young
/// to have one, through the gateways.
/// </summary>
internal static class SessionEndpoints
{
    private const int MaxBytes = 4096;

    public static Task ListAsync(HttpContext context) => AnswerAsync(context, async cancellationToken =>
    {
        var query = ReadQuery(context.Request.Query);
        var list = await Sessions(context).List(query, cancellationToken);
        return (StatusCodes.Status200OK, list);
    });

    public static Task ShowAsync(HttpContext context) => AnswerAsync<SessionList>(context, async cancellationToken =>
    {
        var id = Guid.TryParse(context.Request.Query["id"], out var parsed) ? parsed : throw new FormatException($"'{context.Request.Query["id"]}' is not the id of a session");
        var awake = await OrNoneAsync(Grain(context, id).Find(cancellationToken), cancellationToken);
        var list = await Sessions(context).Find(id, awake?.Gateway, cancellationToken);

        // Its gateway counts its bytes; if that is silent, the rest is known.
        if (list.Sessions.Count == 0 && awake is not null)
            list = list with { Sessions = [awake], Total = 1 };
        return (list.Sessions.Count > 0 ? StatusCodes.Status200OK : StatusCodes.Status404NotFound, list);
    });

    public static Task EndAsync(HttpContext context) => AnswerAsync(context, async cancellationToken =>
    {
        var request = await ReadAsync(context);
        var answer = await OrNoneAsync(Grain(context, request.Id).End(cancellationToken), cancellationToken)
            ? new SessionAnswer { Outcome = SessionMove.UnderWay }
            : await Sessions(context).End(request.Id, cancellationToken);
        return Respond(request, answer);
    });

    public static Task MoveAsync(HttpContext context) => AnswerAsync(context, async cancellationToken =>
    {
        var request = await ReadAsync(context);
        var target = request.To ?? throw new FormatException("the silo to move to is missing");
        if (Refuse(context.RequestServices.GetRequiredService<ClusterViewHolder>().Current, target) is { } refusal)
            return refusal;

        var outcome = await OrNoneAsync(Grain(context, request.Id).Move(target, cancellationToken), cancellationToken);
        var answer = outcome != SessionMove.Unknown ? new SessionAnswer { Outcome = outcome } : await Sessions(context).Move(request.Id, target, cancellationToken);
        return Respond(request, answer);
    });

    private static async Task AnswerAsync<T>(HttpContext context, Func<CancellationToken, Task<(int Status, T Answer)>> answer)
    {
        try
        {
            var (status, body) = await answer(context.RequestAborted);
            context.Response.StatusCode = status;
            await context.Response.WriteAsJsonAsync(body!, typeof(T), SessionJson.Default, contentType: null, context.RequestAborted);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            await FailAsync(context, StatusCodes.Status400BadRequest, e.Message);
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            await FailAsync(context, StatusCodes.Status503ServiceUnavailable, $"the cluster's grains can't be reached: {e.Message}");
        }
    }

    /// <summary>A grain that can't be reached, because its silo was lost a moment ago, is no reason not to ask the gateways.</summary>
    private static async Task<T?> OrNoneAsync<T>(ValueTask<T> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return default;
        }
    }

    private static Task FailAsync(HttpContext context, int status, string error)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new SessionResponse { Error = error }, SessionJson.Default.SessionResponse, contentType: null, context.RequestAborted);
    }

    private static SessionQuery ReadQuery(IQueryCollection query)
    {
        string? client = query["client"];
        if (client is not null)
            _ = GatewaySessions.ParseNetwork(client);
        return new SessionQuery
        {
            Silo = query["silo"],
            Client = client,
            ServerName = query["name"],
            Order = (string?)query["top"] switch
            {
                null or "age" => SessionOrder.Age,
                "bytes" => SessionOrder.Bytes,
                var other => throw new FormatException($"top is bytes or age, not '{other}'"),
            },
            Limit = (string?)query["limit"] is not { } limit
                ? new SessionQuery().Limit
                : int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= SessionQuery.MaxLimit
                    ? number
                    : throw new FormatException($"limit is a number from 1 to {SessionQuery.MaxLimit}, not '{limit}'"),
        };
    }

    private static async Task<SessionRequest> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength is null or > MaxBytes)
            throw new FormatException($"the request must have a length, of at most {MaxBytes} bytes");
        return await JsonSerializer.DeserializeAsync(context.Request.Body, SessionJson.Default.SessionRequest, context.RequestAborted) ?? throw new FormatException("the request is empty");
    }

    /// <summary>Why no session can go there; null: it can.</summary>
    private static (int Status, SessionResponse Response)? Refuse(ClusterView view, string target)
    {
        if (view.Silos.FirstOrDefault(silo => silo.Name == target) is not { } silo)
            return (StatusCodes.Status404NotFound, new SessionResponse { Error = $"there is no silo '{target}'; there are {string.Join(", ", view.Silos.Select(static silo => silo.Name).Order(StringComparer.Ordinal))}" });
        if (!silo.Roles.HasFlag(SiloRoles.Data))
            return (StatusCodes.Status409Conflict, new SessionResponse { Error = $"{target} does not have the role data" });
        if (silo.State != SiloState.Active)
            return (StatusCodes.Status409Conflict, new SessionResponse { Error = $"{target} takes no sessions: it is {silo.State}" });
        return null;
    }

    private static (int Status, SessionResponse Response) Respond(SessionRequest request, SessionAnswer answer) => answer.Outcome switch
    {
        SessionMove.Unknown => (StatusCodes.Status404NotFound, new SessionResponse { Error = $"there is no session {request.Id}{Missing(answer.Silent)}" }),
        SessionMove.Http2 => (StatusCodes.Status409Conflict, new SessionResponse { Outcome = answer.Outcome, Error = $"session {request.Id} speaks HTTP/2, which has no checkpoints yet: it can't be moved" }),
        SessionMove.Upgraded => (StatusCodes.Status409Conflict, new SessionResponse { Outcome = answer.Outcome, Error = $"session {request.Id} speaks another protocol since an Upgrade, such as WebSocket: it can't be moved" }),
        _ => (StatusCodes.Status200OK, new SessionResponse { Outcome = answer.Outcome }),
    };

    private static string Missing(IReadOnlyList<string> silent) => silent.Count == 0 ? "" : $"; {string.Join(", ", silent)} did not answer";

    private static IClusterSessionsGrain Sessions(HttpContext context) => context.RequestServices.GetRequiredService<IGrainFactory>().GetGrain<IClusterSessionsGrain>(0);

    private static ISessionGrain Grain(HttpContext context, Guid id) => context.RequestServices.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>(id);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(SessionRequest))]
[JsonSerializable(typeof(SessionResponse))]
internal sealed partial class SessionJson : JsonSerializerContext;
