using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CSsl.Tests.Support;

/// <summary>An HTTP origin in the test process, so that a test sees and decides what happens behind the cluster.</summary>
public sealed class TestOrigin : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TestOrigin(WebApplication application) => _application = application;

    /// <summary>What it answers; a test sets it before its first request.</summary>
    public RequestDelegate Handler { get; set; } = static context => context.Response.WriteAsync("hello");

    /// <summary>Its URL for HTTP/1.1.</summary>
    public string Address => _application.Urls.First();

    /// <summary>Its URL for HTTP/2 without TLS: what a gRPC service speaks.</summary>
    public string Http2Address => _application.Urls.Last();

    /// <summary>Starts one on free ports of 127.0.0.1.</summary>
    public static async Task<TestOrigin> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        WebApplication application = builder.Build();
        var origin = new TestOrigin(application);
        application.UseWebSockets();
        application.Run(context => origin.Handler(context));
        await application.StartAsync();
        return origin;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _application.DisposeAsync();
}

/// <summary>A cluster in front of an origin in the test process.</summary>
public sealed class ClusterWithTestOrigin : Xunit.IAsyncLifetime
{
    private TestOrigin? _origin;
    private Cluster? _cluster;

    public TestOrigin Origin => _origin ?? throw new InvalidOperationException("not started");

    public Cluster Cluster => _cluster ?? throw new InvalidOperationException("not started");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _origin = await TestOrigin.StartAsync();
        _cluster = await Cluster.StartAsync(new ClusterSettings
        {
            DataSilos = 1,
            Arguments =
            [
                "--ReverseProxy:Routes:all:ClusterId=web",
                "--ReverseProxy:Routes:all:Match:Path={**path}",
                $"--ReverseProxy:Clusters:web:Destinations:one:Address={_origin.Address}",
                "--ReverseProxy:Routes:grpc:ClusterId=grpc",
                "--ReverseProxy:Routes:grpc:Match:Path=/grpc/{**path}",
                $"--ReverseProxy:Clusters:grpc:Destinations:one:Address={_origin.Http2Address}",
                "--ReverseProxy:Clusters:grpc:HttpRequest:Version=2",
                "--ReverseProxy:Clusters:grpc:HttpRequest:VersionPolicy=RequestVersionExact",
            ],
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
        if (_origin is not null)
            await _origin.DisposeAsync();
    }
}
