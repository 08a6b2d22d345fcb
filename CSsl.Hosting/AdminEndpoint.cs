using CSsl.Hosting.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace CSsl.Hosting;

/// <summary>A page of an admin endpoint.</summary>
/// <param name="Endpoint">Which admin endpoint: "gateway" or "silo" (<c>cssl serve</c> has both in one process).</param>
/// <param name="Path">Its whole path, such as "/status".</param>
/// <param name="Handler">Answers requests.</param>
/// <param name="Method">GET shows something, POST changes something.</param>
public sealed record AdminPage(string Endpoint, string Path, RequestDelegate Handler, string Method = "GET");

/// <summary>A part of an admin endpoint that another library serves, for this machine only.</summary>
/// <param name="Endpoint">As of <see cref="AdminPage"/>.</param>
/// <param name="Prefix">What its paths begin with, such as "/orleans".</param>
/// <param name="Map">Maps what it serves; the paths have the prefix.</param>
public sealed record AdminBranch(string Endpoint, string Prefix, Action<IEndpointRouteBuilder> Map);

/// <summary>
/// The admin endpoint of a host: plain HTTP on a listener of its own, which serves <see cref="AdminPage"/>s and /metrics and nothing else.
/// No request that came in elsewhere sees them, and none that came in here falls through to the application.
/// </summary>
public static class AdminEndpoint
{
    /// <summary>More than operators and their tools need; each takes a file descriptor.</summary>
    private const int MaxConnections = 64;

    /// <summary>Adds the middleware (once per process) and a page.</summary>
    public static IServiceCollection AddAdminPage(this IServiceCollection services, string endpoint, string path, RequestDelegate handler)
        => services.AddAdminPage(new AdminPage(endpoint, path, handler));

    /// <summary>Adds the middleware (once per process) and a page that changes something: see <see cref="OperatorRequest"/>.</summary>
    public static IServiceCollection AddAdminAction(this IServiceCollection services, string endpoint, string path, RequestDelegate handler)
        => services.AddAdminPage(new AdminPage(endpoint, path, context => OperatorRequest.IsAllowed(context) ? handler(context) : Task.CompletedTask, HttpMethods.Post));

    private static IServiceCollection AddAdminPage(this IServiceCollection services, AdminPage page)
    {
        services.TryAddSingleton<MetricCollector>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, AdminStartupFilter>());
        return services.AddSingleton(page);
    }

    /// <summary>Makes a listener the admin endpoint of that name.</summary>
    public static void UseAdmin(this ListenOptions listen, string endpoint)
    {
        listen.Protocols = HttpProtocols.Http1;
        var connections = 0;
        listen.Use(next => async connection =>
        {
            try
            {
                if (Interlocked.Increment(ref connections) > MaxConnections)
                {
                    connection.Abort(new ConnectionAbortedException("Too many connections to the admin endpoint."));
                    return;
                }

                connection.Features.Set(new AdminFeature(endpoint));
                await next(connection);
            }
            finally
            {
                Interlocked.Decrement(ref connections);
            }
        });
    }

    /// <summary>Set on every connection of an admin listener; a request's features include its connection's.</summary>
    private sealed record AdminFeature(string Endpoint);

    private sealed class AdminStartupFilter(IEnumerable<AdminPage> pages, IEnumerable<AdminBranch> branches, MetricCollector metrics) : IStartupFilter
    {
        private readonly Dictionary<(string, string), AdminPage> _pages = pages.ToDictionary(static page => (page.Endpoint, page.Path));

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            foreach (var branch in branches)
                app.MapWhen(context => IsFor(branch, context), served => Serve(served, branch));
            app.Use(following => context => context.Features.Get<AdminFeature>() is { } admin ? Serve(context, admin.Endpoint) : following(context));
            next(app);
        };

        private static bool IsFor(AdminBranch branch, HttpContext context)
            => context.Features.Get<AdminFeature>()?.Endpoint == branch.Endpoint && context.Request.Path.StartsWithSegments(branch.Prefix);

        private static void Serve(IApplicationBuilder app, AdminBranch branch)
        {
            app.Use(following => context =>
            {
                if (OperatorRequest.IsFromHere(context))
                    return following(context);
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                return Task.CompletedTask;
            });
            app.UseRouting();
            app.UseEndpoints(branch.Map);
        }

        private Task Serve(HttpContext context, string endpoint)
        {
            var path = context.Request.Path.Value ?? "";
            var isKnown = _pages.TryGetValue((endpoint, path), out var page);
            if (!HttpMethods.Equals(context.Request.Method, page?.Method ?? HttpMethods.Get))
            {
                context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                return Task.CompletedTask;
            }

            if (isKnown)
                return page!.Handler(context);

            if (path == "/metrics")
                return WriteMetrics(context);

            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        private Task WriteMetrics(HttpContext context)
        {
            context.Response.ContentType = PrometheusText.ContentType;
            return context.Response.WriteAsync(PrometheusText.Format(metrics.Collect()), context.RequestAborted);
        }
    }
}
