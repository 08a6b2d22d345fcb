using CSsl.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Runtime.Services;
using Orleans.Services;

namespace CSsl.Grains.Aggregation;

/// <summary>The silo's own aggregator, as its <see cref="AggregationService"/> sees it. Thread-safe.</summary>
public interface IRecordAggregation
{
    /// <summary>Settings and numbers now.</summary>
    AggregationStatus Status { get; }

    /// <summary>Changes the settings, from the next engine call on. <paramref name="change"/> has no <see cref="AggregationChange.Problem"/>.</summary>
    void Change(AggregationChange change);
}

/// <summary>One in every silo, started and stopped with it by Orleans. What is on the path of a record is a local call to the aggregator; this is its face to the cluster.</summary>
/// <param name="id">From Orleans.</param>
/// <param name="silo">The silo that it belongs to.</param>
/// <param name="loggers">Makes loggers.</param>
/// <param name="aggregation">The silo's aggregator.</param>
public sealed class AggregationService(GrainId id, Silo silo, ILoggerFactory loggers, IRecordAggregation aggregation)
    : GrainService(id, silo, loggers), IAggregationService
{
    /// <inheritdoc/>
    public ValueTask<AggregationStatus> Show(CancellationToken cancellationToken) => ValueTask.FromResult(aggregation.Status);

    /// <inheritdoc/>
    public ValueTask<AggregationStatus> Change(AggregationChange change, CancellationToken cancellationToken)
    {
        if (change.Problem() is { } problem)
            throw new ArgumentOutOfRangeException(nameof(change), problem);
        aggregation.Change(change);
        return ValueTask.FromResult(aggregation.Status);
    }
}

/// <summary>Finds the aggregation service of a silo, from any silo.</summary>
public interface IAggregationServiceClient : IGrainServiceClient<IAggregationService>
{
    /// <summary>The service of that silo.</summary>
    IAggregationService Of(SiloAddress silo);
}

/// <inheritdoc/>
internal sealed class AggregationServiceClient(IServiceProvider services) : GrainServiceClient<IAggregationService>(services), IAggregationServiceClient
{
    /// <inheritdoc/>
    public IAggregationService Of(SiloAddress silo) => GetGrainService(silo);
}

/// <summary>On the silo that its key names; passes calls on to the service beside it.</summary>
[PinnedPlacement]
public sealed class AggregationGrain(IAggregationServiceClient services, ILocalSiloDetails silo) : Grain, IAggregationGrain
{
    private IAggregationService Service => services.Of(silo.SiloAddress);

    /// <inheritdoc/>
    public ValueTask<AggregationStatus> Show(CancellationToken cancellationToken) => Service.Show(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AggregationStatus> Change(AggregationChange change, CancellationToken cancellationToken) => Service.Change(change, cancellationToken);
}

/// <summary>What a silo needs for it.</summary>
public static class AggregationServiceHosting
{
    /// <summary>Starts the service with the silo; expects an <see cref="IRecordAggregation"/>.</summary>
    public static ISiloBuilder AddAggregationService(this ISiloBuilder builder)
    {
        builder.Services.AddSingleton<IAggregationServiceClient, AggregationServiceClient>();

        // Orleans logs starts, stops and ring ranges of a grain service under the service's own name.
        builder.Services.AddLogging(static logging => logging.AddFilter(typeof(AggregationService).FullName, LogLevel.Warning));
        return builder.AddGrainService<AggregationService>();
    }
}
