using CSsl.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace CSsl.Hosting;

/// <summary>
/// How the file descriptors of a process are shared out, so that none of those who open them can take the last: not the clients, not peers of the link port, not
/// requests to the origins. A runtime without one dies (its garbage collector opens files), and with it all its connections.
/// </summary>
/// <param name="Limit">What the process may open.</param>
/// <param name="Reserve">For the runtime, listeners, a gateway's links, the cluster engine, the database, logs and the admin endpoints.</param>
/// <param name="Clients">Client connections at the gateway; 0: it is none.</param>
/// <param name="Links">Connections at the silo's link port; 0: it is no silo.</param>
/// <param name="Origins">Connections to the origins; 0: it is no silo.</param>
public sealed record DescriptorBudget(int Limit, int Reserve, int Clients, int Links, int Origins)
{
    /// <summary>What a process has open before anybody has connected (250, most of them assemblies), and half as much again for what is open for a moment only.</summary>
    private const int LeastReserve = 384;

    /// <summary>A larger process has more of everything: silos to be linked with, for instance.</summary>
    private const int ReserveShare = 16;

    /// <summary>Of what is left a silo's link port has a quarter, and no more than this: far more than a cluster has gateways.</summary>
    private const int LinkShare = 4, MostLinks = 4096;

    /// <summary>With less for anybody there is no service.</summary>
    private const int Least = 8;

    /// <summary>Shares out a limit.</summary>
    /// <param name="limit">What the process may open.</param>
    /// <param name="isGateway">It has clients.</param>
    /// <param name="isSilo">It has links and origins.</param>
    /// <param name="limits">What the operator said: never more than what fits.</param>
    /// <exception cref="ConfigurationException">The limit is too low to serve anybody.</exception>
    public static DescriptorBudget Of(int limit, bool isGateway, bool isSilo, LimitsOptions limits)
    {
        var reserve = limits.DescriptorReserve > 0 ? limits.DescriptorReserve : LeastReserve + (limit / ReserveShare);
        var rest = Math.Max(0, limit - reserve);
        var links = isSilo ? Math.Min(rest / LinkShare, MostLinks) : 0;
        var share = (rest - links) / (isGateway && isSilo ? 2 : 1);
        if (share < Least || (isSilo && links < Least))
            throw new ConfigurationException($"this process may open {limit} files (ulimit -n), of which {reserve} are reserved ({LimitsOptions.Section}:{nameof(LimitsOptions.DescriptorReserve)}): too few are left for anybody's connections");
        return new DescriptorBudget(
            limit,
            reserve,
            isGateway ? Math.Min(share, limits.Connections) : 0,
            isSilo ? AtMost(links, limits.Links) : 0,
            isSilo ? AtMost(share, limits.OriginConnections) : 0);
    }

    private static int AtMost(int fits, int wanted) => wanted > 0 ? Math.Min(fits, wanted) : fits;
}

/// <summary>Which parts of C-SSL are in a process (<c>cssl serve</c> has both).</summary>
/// <param name="IsGateway">It has clients.</param>
/// <param name="IsSilo">It has links and origins.</param>
public sealed record DescriptorUser(bool IsGateway, bool IsSilo);

/// <summary>Registers the budget.</summary>
public static class DescriptorBudgetExtensions
{
    /// <summary>Each part of a process calls this; the budget is made once all have.</summary>
    public static void AddDescriptorBudget(this IServiceCollection services, DescriptorUser user)
    {
        services.AddSingleton(user);
        services.TryAddSingleton(static provider =>
        {
            var users = provider.GetServices<DescriptorUser>().ToList();
            return DescriptorBudget.Of(FileDescriptors.Limit, users.Exists(static user => user.IsGateway), users.Exists(static user => user.IsSilo), provider.GetRequiredService<IOptions<LimitsOptions>>().Value);
        });
    }
}
