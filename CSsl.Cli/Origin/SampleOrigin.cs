using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;

namespace CSsl.Cli.Origin;

/// <summary>The HTTP server that <c>cssl up</c> puts behind the cluster when no other is named: something to fetch, to upload to, and to break.</summary>
/// <remarks>Listens on 127.0.0.1 only.</remarks>
internal sealed class SampleOrigin : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SampleOrigin(WebApplication app) => _app = app;

    /// <summary>"http://127.0.0.1:8080/", with the port that was taken.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>Starts one.</summary>
    /// <param name="configuration">For the log, and who stops it.</param>
    /// <param name="port">For HTTP/1.1; 0 takes a free one.</param>
    /// <param name="h2c">For HTTP/2 without TLS; null: not offered.</param>
    public static async Task<SampleOrigin> StartAsync(LoadedConfiguration configuration, int port, int? h2c = null)
    {
        var builder = CsslConfiguration.CreateBuilder(configuration);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Slow clients and big uploads are what it is there to show.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(System.Net.IPAddress.Loopback, port, listener => listener.Protocols = HttpProtocols.Http1);
            if (h2c is { } http2Port)
                kestrel.Listen(System.Net.IPAddress.Loopback, http2Port, listener => listener.Protocols = HttpProtocols.Http2);
        });

        var app = builder.Build();
        try
        {
            app.UseWebSockets();
            Map(app);
            await app.StartAsync();
            return new SampleOrigin(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when a signal, or its parent, has stopped it.</summary>
    public Task WaitForShutdownAsync() => _app.WaitForShutdownAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static void Map(WebApplication app)
    {
        app.MapGet("/", HomePage.ServeAsync);
        app.MapMethods("/bytes/{length:long}", [HttpMethods.Get, HttpMethods.Head], BytesEndpoint.ServeAsync);
        app.MapPost("/echo", UploadEndpoints.EchoAsync);
        app.MapPost("/sink", UploadEndpoints.SinkAsync);
        app.MapGet("/slow", PaceEndpoints.SlowAsync);
        app.MapGet("/sse", PaceEndpoints.EventsAsync);
        app.Map("/ws", WebSocketEndpoint.EchoAsync);
        app.Map("/headers", HeadersEndpoint.ServeAsync);
        app.MapGet("/die", DieEndpoint.ServeAsync);
    }
}
