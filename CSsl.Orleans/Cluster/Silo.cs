using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>The silo of this process.</summary>
internal sealed class Silo : IHostedService, ILocalSiloDetails, IGrainCaller, IGrainLocator
{
    private readonly EmbeddedClusterOptions _options;
    private readonly GrainTypes _types;
    private readonly ClusterDatabase _database;
    private readonly Catalog _catalog;
    private readonly TimeProvider _time;
    private ITimer? _collector;

    public Silo(EmbeddedClusterOptions options, GrainTypes types, IServiceProvider services, TimeProvider time, ILogger<Silo> log)
    {
        _options = options;
        _types = types;
        _time = time;
        _database = new ClusterDatabase(options.Database);
        _catalog = new Catalog(services, new GrainStorage(_database, options.ClusterId), time, log, this);
        Client = new GrainFactory(this, services);
    }

    public IClusterClient Client { get; }

    public string Name => _options.SiloName;

    public string ClusterId => _options.ClusterId;

    public SiloAddress SiloAddress => throw new InvalidOperationException("The silo has not started.");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _database.CreateAsync();
        _collector = _time.CreateTimer(_ => _catalog.CollectIdle(_options.CollectionAge), null, _options.CollectionAge / 4, _options.CollectionAge / 4);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _collector?.Dispose();
        await _catalog.DeactivateAllAsync(new DeactivationReason(DeactivationReasonCode.ShuttingDown, "The silo stops."), cancellationToken);
    }

    public Task<object?> InvokeAsync(GrainCall call)
    {
        var request = new Request(call);
        var grainClass = _types.ClassOf(call.Interface);
        _catalog.Deliver(grainClass, new GrainId(grainClass.Name, call.Key), request);
        return request.AnswerAsync(_options.ResponseTimeout, _time);
    }

    public ValueTask<SiloAddress?> RegisterAsync(Activation activation) => new((SiloAddress?)null);

    public ValueTask UnregisterAsync(Activation activation) => default;

    public void Reroute(Request request, SiloAddress? silo)
    {
        var grainClass = _types.ClassOf(request.Call.Interface);
        _catalog.Deliver(grainClass, new GrainId(grainClass.Name, request.Call.Key), request);
    }
}
