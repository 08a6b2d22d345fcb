using System.Diagnostics.Metrics;
using System.Text;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Exchanges;
using CSsl.Silo.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace CSsl.Silo.Proxy;

/// <summary>Sets up the HTTP side of the data role: Kestrel over decrypted connections, and YARP behind it.</summary>
internal static partial class ProxyHosting
{
    /// <summary>YARP's own section of the configuration.</summary>
    private const string Section = "ReverseProxy";

    private const int Http2ConnectionWindow = 256 * 1024;
    private const int Http2StreamWindow = 192 * 1024;

    /// <summary>True when the configuration says where requests go.</summary>
    public static bool HasRoutes(IConfiguration configuration) => configuration.GetSection(Section).GetSection("Routes").GetChildren().Any();

    public static void AddProxy(this WebApplicationBuilder builder)
    {
        builder.Services.Configure<KestrelServerOptions>(Configure);
        builder.Services.AddReverseProxy()
            .LoadFromConfig(builder.Configuration.GetSection(Section))
            .AddTransforms<ResumptionTransforms>()
            .AddTransforms<ResponseTransforms>();
        builder.Services.AddSingleton(static provider => new OriginConnections(
            provider.GetRequiredService<DescriptorBudget>().Origins, provider.GetRequiredService<IOptions<LimitsOptions>>().Value.OriginQueueTime, provider.GetRequiredService<IMeterFactory>()));
        builder.Services.AddSingleton<IForwarderHttpClientFactory, OriginClientFactory>();
        KeepKeysOffTheDisk(builder.Services);

        builder.Services.AddSingleton<ForwardingLog>();
        builder.Logging.AddFilter(ForwardingLog.ReplacedCategory, LogLevel.None);

        // Otherwise every request has an Activity, for log scopes that nobody writes.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.Services.AddSingleton<IStartupFilter, ProxyStartupFilter>();
    }

    private static void Configure(KestrelServerOptions options)
    {
        options.AddServerHeader = false;
        options.AllowSynchronousIO = false;

        // RFC 9110 section 5.5: octets above 0x7F are opaque. Latin-1 carries each one as it is.
        options.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        options.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;

        // A proxy passes bodies on as they come. What ends a transfer that stands still is YARP's ActivityTimeout, in both directions; of an upgraded connection, its Tunnel.
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;

        // Bounds what an HTTP/2 client can make us keep for an origin that reads slowly; HTTP/1.1 is bounded by the link's credit.
        options.Limits.Http2.InitialConnectionWindowSize = Http2ConnectionWindow;
        options.Limits.Http2.InitialStreamWindowSize = Http2StreamWindow;

        // Protocols are left at their default on purpose: HTTP/1.1 and HTTP/2 by ALPN. Naming them here would make Kestrel warn that HTTP/2
        // needs TLS, because at this point it looks for UseHttps; a connection's ITlsConnectionFeature is what it goes by later.
        options.Listen(new DecryptedEndPoint(), static listen => listen.DisableAltSvcHeader = true);
    }

    // YARP brings ASP.NET Core's data protection along, for one kind of session affinity; it would make a key and write it to the home
    // directory at every start.
    private static void KeepKeysOffTheDisk(IServiceCollection services)
    {
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        foreach (var eager in services.Where(IsDataProtectionStarter).ToList())
            services.Remove(eager);
    }

    private static bool IsDataProtectionStarter(ServiceDescriptor service)
        => service.ServiceType == typeof(IHostedService) && service.ImplementationType?.Namespace?.StartsWith("Microsoft.AspNetCore.DataProtection", StringComparison.Ordinal) == true;

    /// <summary>Sends what came over decrypted connections to YARP, and leaves everything else of the process alone.</summary>
    private sealed partial class ProxyStartupFilter(ForwardingLog log, OriginConnections origins, IConfiguration configuration, ILogger<ProxyStartupFilter> logger) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            if (!HasRoutes(configuration))
                LogNoRoutes();
            app.MapWhen(static context => context.Features.Get<IDecryptedConnectionFeature>() is not null, Proxy);
            next(app);
        };

        private void Proxy(IApplicationBuilder app)
        {
            app.UseMiddleware<ExchangeMiddleware>();
            app.Use(async (context, next) =>
            {
                OriginHeaders.Set(context, context.Features.Get<IDecryptedConnectionFeature>()!);
                await next(context);
                log.Observe(context);
                origins.Observe(context);
                await ErrorPages.WriteAsync(context);
            });
            app.UseRouting();
            app.UseEndpoints(static endpoints => Map(endpoints));
        }

        // Reads the section for the first time.
        private static void Map(IEndpointRouteBuilder endpoints)
        {
            try
            {
                endpoints.MapReverseProxy();
            }
            catch (InvalidOperationException e) when (e.InnerException is AggregateException errors)
            {
                throw new ConfigurationException($"{Section}: {string.Join("; ", errors.InnerExceptions.Select(static error => error.Message))}", e);
            }
        }

        [LoggerMessage(Level = LogLevel.Warning, Message = Section + " has no Routes: every request is answered with 404")]
        private partial void LogNoRoutes();
    }
}
