using System.Net;
using System.Text.Json.Serialization;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Lifecycle;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Dashboard;
using Orleans.Hosting;

namespace CSsl.Silo;

/// <summary>The silo's own admin endpoint: /livez, /healthz, /readyz (would a gateway choose it?), /status (what it reported last) and /metrics.</summary>
internal static class SiloAdmin
{
    private const string Endpoint = "silo";
    private const string DashboardPrefix = "/orleans";

    public static void AddSiloAdmin(this WebApplicationBuilder builder, SiloOptions options)
    {
        builder.Services.AddAdminPage(Endpoint, "/healthz", HealthAsync);
        builder.Services.AddAdminPage(Endpoint, "/readyz", ReadyAsync);
        builder.Services.AddLivePage(Endpoint);
        builder.Services.AddAdminPage(Endpoint, "/status", StatusAsync);
        var address = new SiloAdminAddress();
        builder.Services.AddSingleton(address);
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Listen(HostPort.Parse(options.Admin), listen =>
        {
            address.Listen = listen;
            listen.UseAdmin(Endpoint);
        }));
    }

    /// <summary>Orleans's dashboard under /orleans.</summary>
    public static void AddSiloDashboard(this ISiloBuilder orleans)
    {
        // The log is where it always is.
        orleans.AddDashboard(static options => options.HideTrace = true);
        orleans.Services.AddSingleton(new AdminBranch(Endpoint, DashboardPrefix, static endpoints => endpoints.MapOrleansDashboard(DashboardPrefix)));
    }

    /// <summary>Active, and known as such: this very run of it is in the cluster view that it got last.</summary>
    private static Task ReadyAsync(HttpContext context)
    {
        var status = context.RequestServices.GetRequiredService<SiloStatus>();
        var view = context.RequestServices.GetRequiredService<ClusterViewHolder>().Current;
        var isActive = status.State == SiloState.Active;
        var isKnown = view.Silos.Any(silo => silo.Incarnation == status.Incarnation && silo.State == SiloState.Active);
        return context.WriteReadinessAsync((isActive, isKnown) switch
        {
            (false, _) => status is { State: SiloState.Joining, Obstacle: { } obstacle } ? $"{SiloState.Joining}: {obstacle}" : $"{status.State}",
            (_, false) => "not in the cluster view yet",
            _ => null,
        });
    }

    private static Task HealthAsync(HttpContext context)
    {
        var state = context.RequestServices.GetRequiredService<SiloStatus>().State;
        if (state != SiloState.Active)
            context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync($"{state}\n", context.RequestAborted);
    }

    private static Task StatusAsync(HttpContext context)
    {
        if (context.RequestServices.GetRequiredService<SiloReporter>().Last is { } report)
            return context.Response.WriteAsJsonAsync(report, SiloAdminJson.Default.SiloReport, contentType: null, context.RequestAborted);
        context.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
        return Task.CompletedTask;
    }
}

/// <summary>Where the admin endpoint listens: Kestrel puts the real port into its options when it has bound it.</summary>
internal sealed class SiloAdminAddress
{
    public ListenOptions? Listen { get; set; }

    public override string ToString() => Listen?.EndPoint.ToString() ?? "nowhere";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(SiloReport))]
internal sealed partial class SiloAdminJson : JsonSerializerContext;
