using System.Collections.Concurrent;
using CSsl.Database;
using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Storage;
using CSsl.EmbeddedCluster.Wire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>
/// A process that calls grains and has none. It reads the membership table for itself, sends each call to the owner of the grain's key, and to
/// another silo where that one does not take it.
/// </summary>
internal sealed class ClusterClient : IHostedService, IGrainCaller, IAsyncDisposable
{
    /// <summary>How long a silo that failed is asked last.</summary>
    private static readonly TimeSpan Suspicion = TimeSpan.FromSeconds(5);

    private readonly EmbeddedClusterOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ClusterDatabase _database;
    private readonly Membership _membership;
    private readonly ClusterAuthenticator _authenticator;
    private readonly SiloTransport _transport;
    private readonly CallCodec _codec = new(new RemoteExceptions(GrainTypes.ApplicationAssemblies()));
    private readonly ConcurrentDictionary<SiloAddress, long> _suspects = new();
    private readonly CancellationTokenSource _stopped = new();
    private Task _background = Task.CompletedTask;
    private int _disposed;

    public ClusterClient(EmbeddedClusterOptions options, IServiceProvider services, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _log = loggers.CreateLogger("Orleans.Client");
        _database = EngineDatabase.Of(options.Database);
        _membership = new Membership(new MembershipTable(_database, options.ClusterId, time));
        _authenticator = new ClusterAuthenticator(options.ClusterKey.Span, options.ClusterId);
        _transport = new SiloTransport(_authenticator, _membership, options.MaxMessageBytes, time, _log);
        Client = new GrainFactory(this, services);
    }

    public IClusterClient Client { get; }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await _membership.RefreshAsync().ConfigureAwait(false);
        _background = _membership.FollowAsync(_options.RefreshPeriod, _time, _log, _stopped.Token);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _background.ConfigureAwait(false);
    }

    public async Task<object?> InvokeAsync(GrainCall call)
    {
        var message = CallCodec.Encode(call, hops: 0, placed: false);
        UndeliveredException? failed = null;
        foreach (var silo in Candidates(call.Key))
        {
            CallAnswer answer;
            try
            {
                answer = await _transport.SendAsync<CallAnswer>(silo, Operations.Call, message, _options.ResponseTimeout, call.CancellationToken).ConfigureAwait(false);
            }
            catch (UndeliveredException e)
            {
                _suspects[silo] = _time.GetTimestamp();
                failed = e;
                continue;
            }
            catch (Exception e) when (e is SiloUnavailableException or TimeoutException)
            {
                // It may have run: only the caller knows whether it may run twice. The next call goes elsewhere.
                _suspects[silo] = _time.GetTimestamp();
                throw;
            }
            _suspects.TryRemove(silo, out _);
            return _codec.Decode(call.Method, answer);
        }
        throw failed?.ToUnavailable() ?? new SiloUnavailableException($"{call}: the cluster has no active silo.");
    }

    /// <summary>May be called twice: the container disposes of it once for each type that it is registered as.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stopped.CancelAsync().ConfigureAwait(false);
        _transport.Dispose();
        _authenticator.Dispose();
        _membership.Dispose();
        _stopped.Dispose();
    }

    private SiloAddress[] Candidates(GrainKey key) => [.. _membership.Current.ByPreference(key).OrderBy(IsSuspect)];

    private bool IsSuspect(SiloAddress silo) => _suspects.TryGetValue(silo, out var since) && _time.GetElapsedTime(since) < Suspicion;
}
