using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace CSsl.Hosting;

/// <summary>
/// How much of Orleans's log is written, by category, each with its reason. An operator is to read only lines that mean something: warnings of what nobody
/// can or need do anything about teach to overlook those that do. <c>Logging:LogLevel:Orleans</c> in the configuration takes the place of all of it.
/// </summary>
internal static class OrleansLog
{
    private static readonly (string Category, LogLevel Level)[] Levels =
    [
        ("Orleans", LogLevel.Warning),

        // A client that waits for the first silo warns four times a second. FirstSiloWait says it once.
        ("Orleans.Messaging.GatewayManager", LogLevel.Error),

        // It warns of every silo that starts, of a check that has hung for as long as the machine runs: 10.4.2 measures its first one from 0.
        // Later it warns of a busy machine, which the cluster view shows (CPU, scheduling delay).
        ("Orleans.Runtime.Watchdog", LogLevel.Error),

        // It warns of every stage of a silo's end that takes more than a second. That is what it takes to tell others that end too.
        ("Orleans.Runtime.SiloLifecycleSubject", LogLevel.Error),

        // Four lines at this silo's own death, one of them as long as the table. FatalErrors says it in one. Of the others' deaths the gateways tell.
        ("Orleans.Runtime.MembershipService.MembershipTableManager", LogLevel.Critical),

        // Whoever fails at a silo's ports is counted and told by RefusedPeers, at a bounded rate. The other side is told by who wanted to connect.
        ("Orleans.Connections.Security", LogLevel.Error),
    ];

    public static void SetLevels(ILoggingBuilder logging, IConfiguration configuration)
    {
        // The library that it places grains with: two lines for each.
        if (configuration["Logging:LogLevel:Polly"] is null)
            logging.AddFilter("Polly", LogLevel.Warning);
        if (configuration["Logging:LogLevel:Orleans"] is not null)
            return;
        foreach (var (category, level) in Levels)
        {
            if (configuration[$"Logging:LogLevel:{category}"] is null)
                logging.AddFilter(category, level);
        }
    }
}
