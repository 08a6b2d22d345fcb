using System.Buffers;
using CSsl.Grains.Configuration;
using CSsl.Grains.Data;
using CSsl.Grains.Link;
using CSsl.Silo.Lifecycle;
using CSsl.Tls.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Transport;

/// <summary>What all connections of a silo share.</summary>
internal sealed partial class TlsConnectionHost(
    SessionSealer sealer,
    DecryptedListener listener,
    SessionTable sessions,
    SiloStatus status,
    DataMetrics metrics,
    IMemoryPoolFactory<byte> pools,
    TimeProvider time,
    IOptions<SiloOptions> silo,
    IOptions<LimitsOptions> limits,
    ILogger<TlsConnection> logger)
{
    public SessionSealer Sealer { get; } = sealer;

    public DecryptedListener Listener { get; } = listener;

    public SessionTable Sessions { get; } = sessions;

    public DataMetrics Metrics { get; } = metrics;

    public MemoryPool<byte> Pool { get; } = pools.Create();

    public TimeProvider Time { get; } = time;

    public string SiloName { get; } = silo.Value.Name;

    /// <summary>False while the silo is leaving, and when it has as many sessions as it may.</summary>
    public bool TakesSessions => !status.IsDraining && Sessions.Count < limits.Value.Connections;

    [LoggerMessage(Level = LogLevel.Warning, Message = "session {SessionId} can't be opened here: {Error}")]
    public partial void LogBadCapsule(Guid sessionId, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session {SessionId} of {Client} broke the protocol: {Error}")]
    public partial void LogProtocolError(Guid sessionId, string client, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session {SessionId} of {Client} ended ({Said}): {Cause}")]
    public partial void LogEnded(Guid sessionId, string client, CloseReason? said, string? cause);

    [LoggerMessage(Level = LogLevel.Error, Message = "session {SessionId}: the application failed when it was told that the connection is closed")]
    public partial void LogCallbackFailed(Guid sessionId, Exception error);
}
