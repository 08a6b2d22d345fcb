using System.Net;
using System.Threading.Channels;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Metrics;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway.Admission;

/// <summary>The place of an accepted client in the <see cref="ConnectionTable"/>.</summary>
/// <param name="Id">The connection's number.</param>
internal sealed record ClientPlace(ulong Id);

/// <summary>
/// Keeps room for clients: near the bound, connections that do nothing are evicted (<see cref="Eviction"/>), and at it no more are accepted until one has left.
/// </summary>
internal sealed partial class ClientRoom(
    ConnectionTable connections,
    DescriptorBudget budget,
    IOptions<GatewayOptions> gateway,
    GatewayMeters meters,
    TimeProvider time,
    ILogger<ClientRoom> logger) : BackgroundService, IAcceptRoom
{
    /// <summary>The places that are to be free; and so many are asked to go at once.</summary>
    private const int FreeShare = 16, MostFree = 128;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Whoever was asked to go and has not gone by then has something under way, or is at a silo that does not answer: others are asked.</summary>
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(3);

    private readonly HashSet<IPEndPoint> _endpoints = [.. GatewayListeners.ClientEndpoints(gateway.Value)];
    private readonly Dictionary<ulong, long> _asked = [];
    private readonly Channel<bool> _crowded = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly LineRate _pauses = new(time);
    private readonly LineRate _evictions = new(time);
    private long _evicted;

    private int Room => Math.Clamp(connections.Capacity / FreeShare, 1, MostFree);

    private int Free => connections.Capacity - connections.Count;

    private bool IsCrowded => Free < Room && !connections.IsDraining;

    /// <inheritdoc/>
    public bool IsFor(IPEndPoint endpoint) => _endpoints.Contains(endpoint);

    /// <inheritdoc/>
    public async ValueTask WhenRoomAsync(CancellationToken cancellationToken)
    {
        if (connections.WhenRoomAsync() is { IsCompleted: false } waiting)
        {
            meters.CountAcceptPause();
            if (_pauses.IsDue(out var others))
                LogFull(logger, connections.Capacity, others);
            await waiting.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void OnAccepted(ConnectionContext connection)
    {
        connection.Features.Set(new ClientPlace(connections.Enter()));
        if (IsCrowded)
            _crowded.Writer.TryWrite(true);
    }

    /// <summary>Asks as many to leave as there are places wanted. One caller at a time.</summary>
    internal void MakeRoom()
    {
        if (!IsCrowded)
        {
            _asked.Clear();
            return;
        }

        var now = time.GetTimestamp();
        foreach (var (id, at) in _asked)
        {
            if (connections.Find(id) is null || time.GetElapsedTime(at, now) > LeaveTime)
                _asked.Remove(id);
        }

        var chosen = Eviction.Choose(connections.All.Where(connection => !connection.IsAskedToLeave).Select(connection => (connection, connection.Idleness, time.GetElapsedTime(connection.QuietSince, now))), Room - Free - _asked.Count);
        foreach (var (connection, idleness) in chosen)
        {
            _asked[connection.Entry.Id] = now;
            connection.MakeRoom();
            meters.CountEvicted(idleness);
        }

        _evicted += chosen.Count;
        if (chosen.Count > 0 && _evictions.IsDue(out _))
        {
            LogEvicted(logger, connections.Capacity, _evicted);
            _evicted = 0;
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        LogRoom(logger, connections.Capacity, budget.Limit, budget.Reserve);
        try
        {
            while (await _crowded.Reader.ReadAsync(stoppingToken))
            {
                do
                {
                    MakeRoom();
                    await Task.Delay(Interval, time, stoppingToken);
                }
                while (IsCrowded);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops: everybody leaves.
        }
    }

    [LoggerMessage(EventId = 205, Level = LogLevel.Information, Message = "Room for {Capacity} clients: this process may open {Limit} files, of which {Reserve} are reserved")]
    private static partial void LogRoom(ILogger logger, int capacity, int limit, int reserve);

    [LoggerMessage(EventId = 203, Level = LogLevel.Warning, Message = "All {Capacity} places for clients are taken: the next wait to be accepted ({Others} more pauses since the last such line)")]
    private static partial void LogFull(ILogger logger, int capacity, long others);

    [LoggerMessage(EventId = 204, Level = LogLevel.Warning, Message = "Nearly all {Capacity} places for clients are taken: {Count} connections that did nothing were evicted")]
    private static partial void LogEvicted(ILogger logger, int capacity, long count);
}
