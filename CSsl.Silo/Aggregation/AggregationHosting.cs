using CSsl.Grains.Aggregation;
using CSsl.Link;
using Microsoft.Extensions.DependencyInjection;

namespace CSsl.Silo.Aggregation;

/// <summary>The aggregator before the process's record engine.</summary>
internal static class AggregationHosting
{
    public static void AddAggregation(this IServiceCollection services)
    {
        services.AddSingleton<AggregatorMetrics>();
        services.AddSingleton<RecordAggregator>();
        services.AddSingleton<IRecordRunner>(static provider => provider.GetRequiredService<RecordAggregator>());
        services.AddSingleton<IRecordAggregation>(static provider => provider.GetRequiredService<RecordAggregator>());
    }
}
