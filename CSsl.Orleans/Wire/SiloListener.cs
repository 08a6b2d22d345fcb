using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using CSsl.EmbeddedCluster.Serialization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>Handles one authentic message; returns its answer. <see cref="UnservedException"/> says no in a way that lets the sender try elsewhere.</summary>
internal delegate Task<object> MessageHandler(MessageHeader header, ReadOnlyMemory<byte> body, CancellationToken cancellationToken);

/// <summary>The message is not for this silo, or not any more.</summary>
internal sealed class UnservedException(int status) : Exception
{
    public int Status { get; } = status;
}

/// <summary>Takes messages: a Kestrel of its own, HTTP/2 without TLS, every request and answer under a MAC.</summary>
internal sealed partial class SiloListener(ClusterAuthenticator authenticator, MessageHandler handler, int maxMessageBytes, TimeProvider time, ILoggerFactory loggers)
    : IHttpApplication<HttpContext>, IAsyncDisposable
{
    /// <summary>Far more than the processes of one machine need: each has one or a few.</summary>
    private const int MaxConnections = 256;

    private readonly ReplayWindow _replays = new(time);
    private readonly LogThrottle _refusals = new(time);
    private readonly ILogger _log = loggers.CreateLogger<SiloListener>();
    private KestrelServer? _server;

    /// <summary>Listens, and returns where (the port of a "port 0" is known then).</summary>
    public async Task<IPEndPoint> StartAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = maxMessageBytes;
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Listen(endpoint, static listen => listen.Protocols = HttpProtocols.Http2);
        _server = new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers), loggers);
        await _server.StartAsync(this, cancellationToken).ConfigureAwait(false);
        var bound = new Uri(_server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        return new IPEndPoint(endpoint.Address, bound.Port);
    }

    /// <summary>Lets the messages under way finish until <paramref name="cancellationToken"/> is canceled; then cuts them off.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _server?.Dispose();
        return ValueTask.CompletedTask;
    }

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        // Nothing is read from whom nothing is expected.
        var body = WireHeaders.TryRead(context.Request, out var header, out var mac) ? await ReadAsync(context.Request).ConfigureAwait(false) : null;
        if (body is null || !ClusterAuthenticator.Matches(authenticator.SignRequest(header, body), mac))
        {
            if (_refusals.TryPass(out var more))
                LogWrongKey(_log, context.Connection.RemoteIpAddress, context.Connection.RemotePort, more);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        if (!_replays.TryTake(header.Time, header.Nonce))
        {
            if (_refusals.TryPass(out var more))
                LogReplay(_log, context.Connection.RemoteIpAddress, context.Connection.RemotePort, header.Time, more);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        var (status, answer) = await HandleAsync(header, body, context.RequestAborted).ConfigureAwait(false);
        context.Response.StatusCode = status;
        context.Response.Headers[WireHeaders.Mac] = authenticator.SignResponse(status, mac, answer);
        context.Response.ContentLength = answer.Length;
        await context.Response.Body.WriteAsync(answer, context.RequestAborted).ConfigureAwait(false);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever fails is this message's failure; it is logged and answered.")]
    private async Task<(int Status, byte[] Answer)> HandleAsync(MessageHeader header, byte[] body, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await handler(header, body, cancellationToken).ConfigureAwait(false);
            return (StatusCodes.Status200OK, ContractSerializer.Serialize(answer, answer.GetType()));
        }
        catch (UnservedException e)
        {
            return (e.Status, []);
        }
        catch (JsonException e)
        {
            LogFailed(_log, header.Path, e);
            return (StatusCodes.Status400BadRequest, []);
        }
        catch (Exception e)
        {
            if (!cancellationToken.IsCancellationRequested)
                LogFailed(_log, header.Path, e);
            return (StatusCodes.Status500InternalServerError, []);
        }
    }

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        var length = (int)(request.ContentLength ?? 0);
        using var body = new MemoryStream(Math.Min(length, 64 * 1024));
        await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted).ConfigureAwait(false);
        return body.ToArray();
    }

    [LoggerMessage(22, LogLevel.Warning, "Refused a message from {Address}:{Port}: its sender does not have the cluster key (Cluster:KeyFile). {More} more since the last such line.")]
    private static partial void LogWrongKey(ILogger logger, IPAddress? address, int port, int more);

    [LoggerMessage(23, LogLevel.Warning, "Refused a message from {Address}:{Port}: its time {Time} is off, or it was sent before. {More} more since the last such line.")]
    private static partial void LogReplay(ILogger logger, IPAddress? address, int port, long time, int more);

    [LoggerMessage(24, LogLevel.Warning, "A message for {Path} could not be handled.")]
    private static partial void LogFailed(ILogger logger, string path, Exception exception);
}
