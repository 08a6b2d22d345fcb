using System.Text.Json.Serialization;
using CSsl.Gateway.Lifecycle;
using CSsl.Gateway.Links;
using CSsl.Grains.Aggregation;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway.Admin;

/// <summary>The gateway's admin endpoint: /status (the whole cluster), /healthz and /readyz (would a client be served?), /livez, /metrics; /engines (of the data silos), /sessions and /session, /supervisor (where `cssl up` takes requests); POST /orders (to a silo), /engines/settings, /session/end and /session/move.</summary>
internal static class GatewayAdmin
{
    public static void AddGatewayAdmin(this IServiceCollection services)
    {
        services.AddSingleton<StatusPage>();
        services.AddAdminPage(GatewayListeners.Admin, "/status", StatusAsync);
        services.AddAdminPage(GatewayListeners.Admin, "/healthz", ReadyAsync);
        services.AddAdminPage(GatewayListeners.Admin, "/readyz", ReadyAsync);
        services.AddLivePage(GatewayListeners.Admin);
        services.AddAdminPage(GatewayListeners.Admin, "/supervisor", SupervisorAsync);
        services.AddAdminAction(GatewayListeners.Admin, "/orders", OrderEndpoint.HandleAsync);
        services.AddAdminPage(GatewayListeners.Admin, "/engines", EngineEndpoint.ShowAsync);
        services.AddAdminAction(GatewayListeners.Admin, "/engines/settings", EngineEndpoint.ChangeAsync);
        services.AddAdminPage(GatewayListeners.Admin, "/sessions", SessionEndpoints.ListAsync);
        services.AddAdminPage(GatewayListeners.Admin, "/session", SessionEndpoints.ShowAsync);
        services.AddAdminAction(GatewayListeners.Admin, "/session/end", SessionEndpoints.EndAsync);
        services.AddAdminAction(GatewayListeners.Admin, "/session/move", SessionEndpoints.MoveAsync);
    }

    private static Task StatusAsync(HttpContext context)
        => context.Response.WriteAsJsonAsync(context.RequestServices.GetRequiredService<StatusPage>().Show(), GatewayAdminJson.Default.ClusterStatus, contentType: null, context.RequestAborted);

    /// <summary>Where the <c>cssl up</c> above this gateway takes requests, as one line; empty when there is none.</summary>
    private static Task SupervisorAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync($"{context.RequestServices.GetRequiredService<IOptions<GatewayOptions>>().Value.Supervisor}\n", context.RequestAborted);
    }

    private static Task ReadyAsync(HttpContext context)
    {
        var isActive = context.RequestServices.GetRequiredService<GatewayStatus>().State == SiloState.Active;
        var canServe = context.RequestServices.GetRequiredService<SiloLinks>().CanServe;
        return context.WriteReadinessAsync((isActive, canServe) switch
        {
            (false, _) => "starting or draining",
            (_, false) => "no silo for one of the roles can be reached",
            _ => null,
        });
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ClusterStatus))]
[JsonSerializable(typeof(OrderRequest))]
[JsonSerializable(typeof(OrderResponse))]
[JsonSerializable(typeof(EngineRequest))]
[JsonSerializable(typeof(EngineResponse))]
internal sealed partial class GatewayAdminJson : JsonSerializerContext;
