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
        // Its warnings are of what it tries again by itself: probes and messages that were late, connections to silos that are gone, stalls of a busy machine, a
        // client that waits for the first silo (four times a second), a stage of an orderly end that took a second, a watchdog that counts from the machine's boot.
        // What comes of it is told by those that it happens to: links, the silo's reports, FatalErrors, FirstSiloWait.
        ("Orleans", LogLevel.Error),

        // Four lines at this silo's own death, one of them as long as the table. FatalErrors says it in one. Of the others' deaths the gateways tell.
        ("Orleans.Runtime.MembershipService.MembershipTableManager", LogLevel.Critical),

        // Without the database, a stack trace five times a second. A start that fails because it can't reach a silo is CsslHost's one line.
        ("Orleans.Runtime.MembershipService.MembershipAgent", LogLevel.Critical),

        // Calls that go to a silo that has just died, with stack traces. Whoever made the call gets the exception, and says what it means.
        ("Orleans.Messaging", LogLevel.Critical),

        // A call that can't be cancelled, or clients that can't be told, because the other silo is gone.
        ("Orleans.Runtime.GrainCallCancellationManager", LogLevel.Critical),
        ("Orleans.Runtime.GrainDirectory.ClientDirectory", LogLevel.Critical),
    ];

    public static void SetLevels(ILoggingBuilder logging, IConfiguration configuration)
    {
        // The library that it places grains with: two lines for each, and likewise stack traces when a silo has died.
        if (configuration["Logging:LogLevel:Polly"] is null)
            logging.AddFilter("Polly", LogLevel.Critical);
        if (configuration["Logging:LogLevel:Orleans"] is not null)
            return;
        foreach (var (category, level) in Levels)
        {
            if (configuration[$"Logging:LogLevel:{category}"] is null)
                logging.AddFilter(category, level);
        }
    }
}
