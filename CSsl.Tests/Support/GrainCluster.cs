using System.Runtime.CompilerServices;
using CSsl.Database;
using CSsl.Silo;
using Orleans.Hosting;
using Orleans.TestingHost;

namespace CSsl.Tests.Support;

/// <summary>Silos of Orleans in this process, for tests of grains that need a real directory, scheduler or serializer.</summary>
internal static class GrainCluster
{
    /// <summary>Starts silos and a client.</summary>
    /// <param name="silos">How many.</param>
    /// <param name="configure">Adds to each silo what the grains under test ask for.</param>
    /// <param name="serviceId">The cluster's name in its database.</param>
    /// <param name="hasDirectoryOfParts">Grains are entered in Orleans's own directory, of which each silo keeps a part that is lost with it; not in the test host's one for all.</param>
    public static async Task<InProcessTestCluster> StartAsync(int silos, Action<ISiloBuilder> configure, string serviceId = "test", bool hasDirectoryOfParts = false)
    {
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.Options.ServiceId = serviceId;
        if (hasDirectoryOfParts)
            UseTestClusterGrainDirectory(builder.Options, false);
        builder.ConfigureSilo((_, silo) => configure(silo));
        InProcessTestCluster cluster = builder.Build();
        await cluster.DeployAsync();
        return cluster;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_UseTestClusterGrainDirectory")]
    private static extern void UseTestClusterGrainDirectory(InProcessTestClusterOptions options, bool value);

    /// <summary>Grains keep their state as a silo's host has them keep it.</summary>
    public static void KeepIn(this ISiloBuilder silo, ClusterDatabase database)
        => silo.UseClusterStorage(database);
}
