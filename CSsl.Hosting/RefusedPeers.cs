using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Connections.Security;

namespace CSsl.Hosting;

/// <summary>Tells the operator who was refused at Orleans's ports: one line in ten seconds at most, with the number of the others.</summary>
internal sealed partial class RefusedPeers(TimeProvider time, ILogger<RefusedPeers> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long? _toldAt;
    private long _untold;

    /// <summary>Around TLS in the pipeline of a listener: sees the connections that did not get through it.</summary>
    public static void Watch(IConnectionBuilder listener)
    {
        var refused = listener.ApplicationServices.GetRequiredService<RefusedPeers>();
        listener.Use(next => async connection =>
        {
            await next(connection).ConfigureAwait(false);

            // Set when the handshake is over and the peer's certificate was accepted.
            if (connection.Features.Get<ITlsApplicationProtocolFeature>() is null)
                refused.Add(connection.RemoteEndPoint);
        });
    }

    /// <summary>Counts one, and tells of it if the last line is long enough ago.</summary>
    public void Add(EndPoint? peer)
    {
        long untold;
        lock (_gate)
        {
            if (_toldAt is { } toldAt && time.GetElapsedTime(toldAt) < Interval)
            {
                _untold++;
                return;
            }

            (untold, _untold, _toldAt) = (_untold, 0, time.GetTimestamp());
        }

        LogRefused(peer, untold);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "refused {Peer} at a port of Silo:Grains: it did not prove that it belongs to this cluster. Either its cluster key (Cluster:KeyFile) is another, or it is no C-SSL process, or it gave up. {Untold} more since the last such line")]
    private partial void LogRefused(EndPoint? peer, long untold);
}
