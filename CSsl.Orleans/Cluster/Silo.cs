using System.Net;
using CSsl.Database;
using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Storage;
using CSsl.EmbeddedCluster.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>The silo of this process: joins the cluster when its host starts, hands its grains over and leaves when it stops.</summary>
internal sealed partial class Silo : IHostedService, ILocalSiloDetails, IGrainCaller, IAsyncDisposable
{
    /// <summary>How long no message must have come before a silo that left closes its connections: a few times what a message takes, also on a busy machine.</summary>
    private static readonly TimeSpan QuietTime = TimeSpan.FromMilliseconds(50);

    private readonly EmbeddedClusterOptions _options;
    private readonly GrainTypes _types;
    private readonly IServiceProvider _services;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ClusterDatabase _database;
    private readonly MembershipTable _table;
    private readonly Membership _membership;
    private readonly ClusterAuthenticator _authenticator;
    private readonly SiloTransport _transport;
    private readonly Announcer _announcer;
    private readonly SiloListener _listener;
    private readonly CancellationTokenSource _stopped = new();
    private SiloAddress? _self;
    private Catalog? _catalog;
    private CallRouter? _router;
    private MessageDispatcher? _dispatcher;
    private Task _background = Task.CompletedTask;
    private bool _leaving;
    private int _disposed;

    public Silo(EmbeddedClusterOptions options, GrainTypes types, IServiceProvider services, IHostApplicationLifetime lifetime, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _types = types;
        _services = services;
        _lifetime = lifetime;
        _time = time;
        _log = loggers.CreateLogger("Orleans.Silo");
        _database = EngineDatabase.Of(options.Database);
        _table = new MembershipTable(_database, options.ClusterId, time);
        _membership = new Membership(_table);
        _authenticator = new ClusterAuthenticator(options.ClusterKey.Span, options.ClusterId);
        _transport = new SiloTransport(_authenticator, _membership, options.MaxMessageBytes, time, _log);
        _announcer = new Announcer(_membership, _transport, options.ProbeTimeout, _log);
        _listener = new SiloListener(_authenticator, HandleAsync, options.MaxMessageBytes, time, loggers);
        Client = new GrainFactory(this, services);
    }

    public IClusterClient Client { get; }

    public string Name => _options.SiloName;

    public string ClusterId => _options.ClusterId;

    public SiloAddress SiloAddress => _self ?? throw new InvalidOperationException("The silo has not started: it has no address yet.");

    public Task<object?> InvokeAsync(GrainCall call) => _router is { } router
        ? router.InvokeAsync(call)
        : Task.FromException<object?>(new InvalidOperationException($"{call}: the silo has not started."));

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await _table.BuryAsync(_announcer.AnswersAsync).ConfigureAwait(false);
        await _announcer.ProveKeyAsync(Name).ConfigureAwait(false);
        var endpoint = await _listener.StartAsync(IPEndPoint.Parse(_options.Listen), cancellationToken).ConfigureAwait(false);
        _self = await _table.JoinAsync(endpoint, Name).ConfigureAwait(false);

        var storage = new GrainStorage(_database, ClusterId);
        var codec = new CallCodec(new RemoteExceptions(_types.Assemblies));
        var directoryClient = new DirectoryClient(_self, _membership, _transport, _options.ResponseTimeout, _log);
        var catalog = _catalog = new Catalog(_services, storage, _time, _log, directoryClient);
        var directory = directoryClient.Local = new GrainDirectory(_membership, catalog, _transport, _options.ProbeTimeout, _time, _log, _stopped.Token) { Self = _self };
        var router = new CallRouter(_self, _types, catalog, directoryClient, _membership, _transport, codec, _options, _time);
        catalog.Rerouter = router.Reroute;

        // Before any message is taken: a message may bring a new view, and the directory must see every one.
        _membership.Changed += directory.OnChanged;
        _membership.Changed += StopIfDead;
        _dispatcher = new MessageDispatcher(_self, _membership, router, catalog, directory);
        await _announcer.AnnounceAsync().ConfigureAwait(false);
        _router = router;

        var detector = new FailureDetector(_options, _table, _membership, _transport, _time, _log) { Self = _self, Announce = _announcer.AnnounceAsync };
        _background = Task.WhenAll(
            detector.RunAsync(_stopped.Token),
            _membership.FollowAsync(_options.RefreshPeriod, _time, _log, _stopped.Token),
            catalog.CollectAsync(_options.CollectionAge, _stopped.Token));
        LogJoined(_log, Name, _self, ClusterId, _membership.Current.Active.Length);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_self is null || _catalog is null)
            return;
        _leaving = true;
        try
        {
            // First nothing new comes, then the grains go while they can still be rerouted, then the silo.
            await SetOwnStatusAsync(SiloStatus.ShuttingDown).ConfigureAwait(false);
            await DeactivateGrainsAsync(_catalog, cancellationToken).ConfigureAwait(false);
            if (await SetOwnStatusAsync(SiloStatus.Dead).ConfigureAwait(false))
                LogLeft(_log, Name, _self);
            await SendLatecomersAwayAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await FallSilentAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DeactivateGrainsAsync(Catalog catalog, CancellationToken cancellationToken)
    {
        try
        {
            await catalog.DeactivateAllAsync(new DeactivationReason(DeactivationReasonCode.ShuttingDown, "The silo stops."), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogGrainsLeft(_log, Name, catalog.Count);
        }
    }

    /// <summary>
    /// Who does not know yet that nobody is here is told so by an answer. A message that met a closing connection instead might have been run, for all that its sender can tell.
    /// So the silo listens until no such message has come for a moment, but no longer than <see cref="EmbeddedClusterOptions.ProbeTimeout"/>.
    /// </summary>
    private async Task SendLatecomersAwayAsync(CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        long sentAway;
        do
        {
            sentAway = _dispatcher!.SentAway;
            await Task.Delay(QuietTime, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (_dispatcher.SentAway != sentAway && _time.GetElapsedTime(began) < _options.ProbeTimeout && !cancellationToken.IsCancellationRequested);
    }

    /// <summary>Ends all that this silo says and hears, without a word to the others. Messages under way are cut off when <paramref name="cancellationToken"/> says so, and after <see cref="EmbeddedClusterOptions.ProbeTimeout"/>.</summary>
    public async Task FallSilentAsync(CancellationToken cancellationToken)
    {
        _router?.CutOff();
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _background.ConfigureAwait(false);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_options.ProbeTimeout);
        await _listener.StopAsync(patience.Token).ConfigureAwait(false);
    }

    /// <summary>May be called twice: the container disposes of it once for each type that it is registered as.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await FallSilentAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
        _transport.Dispose();
        _authenticator.Dispose();
        _membership.Dispose();
        _stopped.Dispose();
    }

    private Task<object> HandleAsync(MessageHeader header, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
        => _dispatcher?.HandleAsync(header, body, cancellationToken) ?? throw new UnservedException(StatusCodes.Status503ServiceUnavailable);

    private void StopIfDead(ClusterSnapshot before, ClusterSnapshot after)
    {
        if (_leaving || after.IsAlive(_self!))
            return;

        // Its grains may be active elsewhere by now: it can't go on.
        _leaving = true;
        _router?.CutOff();
        LogDeclaredDead(_log, Name, _self!);

        // Elsewhere: this runs while the membership is being read, and whoever hears it may want to read it too.
        _ = Task.Run(_lifetime.StopApplication);
    }

    private async Task<bool> SetOwnStatusAsync(SiloStatus status)
    {
        if (!await _table.SetStatusAsync(_self!, status, _self!).ConfigureAwait(false))
            return false;
        await _announcer.AnnounceAsync().ConfigureAwait(false);
        return true;
    }

    [LoggerMessage(60, LogLevel.Information, "Silo {Name} ({Silo}) joined cluster {Cluster} of {Count} active silos.")]
    private static partial void LogJoined(ILogger logger, string name, SiloAddress silo, string cluster, int count);

    [LoggerMessage(61, LogLevel.Information, "Silo {Name} ({Silo}) left the cluster.")]
    private static partial void LogLeft(ILogger logger, string name, SiloAddress silo);

    [LoggerMessage(62, LogLevel.Critical, "Silo {Name} ({Silo}) was declared dead by the others: it stops.")]
    private static partial void LogDeclaredDead(ILogger logger, string name, SiloAddress silo);

    [LoggerMessage(64, LogLevel.Warning, "Silo {Name} leaves {Count} grains behind that are still busy: the host's time to stop is over.")]
    private static partial void LogGrainsLeft(ILogger logger, string name, int count);
}
