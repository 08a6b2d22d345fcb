using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using CSsl.Link;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace CSsl.Silo.Proxy;

/// <summary>
/// Counts requests that could not be forwarded, and tells of origins in trouble: one line a second and cluster, however many clients ask.
/// YARP itself logs every one, also those that a client gave up, so that any client could fill the log.
/// </summary>
internal sealed partial class ForwardingLog
{
    /// <summary>YARP's categories that this takes the place of.</summary>
    public const string ReplacedCategory = "Yarp.ReverseProxy.Forwarder";

    private readonly ConcurrentDictionary<string, LineRate> _troubles = new(StringComparer.Ordinal);
    private readonly Counter<long> _failed;
    private readonly TimeProvider _time;
    private readonly ILogger<ForwardingLog> _logger;

    public ForwardingLog(IMeterFactory meters, TimeProvider time, ILogger<ForwardingLog> logger)
    {
        _failed = meters.Create("CSsl.Proxy").CreateCounter<long>("cssl.requests.failed", "{request}", "Requests that could not be forwarded, or not to their end");
        (_time, _logger) = (time, logger);
    }

    /// <summary>Notes how a request ended.</summary>
    public void Observe(HttpContext context)
    {
        if (context.Features.Get<IForwarderErrorFeature>() is not { Error: not ForwarderError.None } failure)
            return;
        _failed.Add(1, new KeyValuePair<string, object?>("error", failure.Error));
        if (IsOfClient(failure.Error))
        {
            LogOfClient(failure.Error, failure.Exception?.GetBaseException().Message ?? "");
            return;
        }

        // Clusters come from the configuration: there are few.
        var cluster = context.Features.Get<IReverseProxyFeature>()?.Cluster.Config.ClusterId ?? "";
        var trouble = _troubles.GetOrAdd(cluster, static (_, time) => new LineRate(time), _time);
        if (trouble.IsDue(out var others))
            LogFailed(cluster, context.Features.Get<IReverseProxyFeature>()?.ProxiedDestination?.DestinationId ?? "no destination", failure.Error, failure.Exception?.GetBaseException().Message ?? "", others);
    }

    private static bool IsOfClient(ForwarderError error) => error
        is ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient
        or ForwarderError.ResponseBodyCanceled or ForwarderError.ResponseBodyClient
        or ForwarderError.UpgradeRequestCanceled or ForwarderError.UpgradeRequestClient
        or ForwarderError.UpgradeResponseCanceled or ForwarderError.UpgradeResponseClient;

    [LoggerMessage(Level = LogLevel.Warning, Message = "origin {Cluster} ({Destination}): {Error}: {Cause} ({Others} more since the last such line)")]
    private partial void LogFailed(string cluster, string destination, ForwarderError error, string cause, long others);

    [LoggerMessage(Level = LogLevel.Debug, Message = "a request ended with {Error}: {Cause}")]
    private partial void LogOfClient(ForwarderError error, string cause);
}
