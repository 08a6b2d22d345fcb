using System.CommandLine;
using System.Globalization;
using CSsl.Cli.Up;
using CSsl.Database;
using CSsl.Database.Migrations;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl db</c>: the tables of the cluster's database.</summary>
internal static class DbCommand
{
    private static readonly Option<string?> Connection = new("--connection")
    {
        Description = "A SQLite file, or a connection string (Host=...;Database=...;Username=... for PostgreSQL). Default: Cluster:Database of the configuration, or the state folder's.",
        HelpName = "TEXT",
    };

    private static readonly Option<DatabaseKind?> Provider = new("--provider") { Description = "Which database that is, where the text does not say.", HelpName = "sqlite or postgres" };
    private static readonly Option<string?> Config = CommonOptions.Config();
    private static readonly Option<string> State = CommonOptions.State();

    public static Command Create() => new("db", "Makes the tables of the cluster's database, and shows which it has.")
    {
        CreateInit(),
        CreateStatus(),
    };

    private static Command CreateInit()
    {
        var command = new Command("init", """
            Brings the tables up to date. What is there already is left as it is, so that it may run again, and by several at once.
            Silos and gateways do the same when they start; a user who may not make tables needs this first.
            """)
        {
            Connection, Provider, Config, State,
        };
        command.SetAction((result, cancellationToken) => RunAsync(result, InitAsync, cancellationToken));
        return command;
    }

    private static Command CreateStatus()
    {
        var command = new Command("status", "Shows what the database has and what it lacks. Exit code 1 when it lacks something or can't be reached.")
        {
            Connection, Provider, Config, State,
        };
        command.SetAction((result, cancellationToken) => RunAsync(result, StatusAsync, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, Func<ClusterDatabase, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run(ClusterDatabase.Of(TextOf(result), result.GetValue(Provider)), cancellationToken);
        }
        catch (DatabaseException e)
        {
            await Console.Error.WriteLineAsync($"cssl: {e.Message}");
            return ExitCodes.Failure;
        }
    }

    private static string TextOf(ParseResult result)
    {
        if (result.GetValue(Connection) is { Length: > 0 } given)
            return given;
        var configured = CsslConfiguration.Load(CommonOptions.LoaderArguments(result.GetValue(Config), [])).Settings.Cluster.Database;
        return string.IsNullOrEmpty(configured) ? StateFolder.Create(result.GetValue(State)!).Database : configured;
    }

    private static async Task<int> InitAsync(ClusterDatabase database, CancellationToken cancellationToken)
    {
        foreach (var migration in await new Migrator(database).ApplyAsync(cancellationToken))
            Console.WriteLine($"{Label(migration.Version, migration.Name)}  applied now");
        Console.WriteLine($"{database.Name} is up to date");
        return ExitCodes.Success;
    }

    private static async Task<int> StatusAsync(ClusterDatabase database, CancellationToken cancellationToken)
    {
        var status = await new Migrator(database).StatusAsync(cancellationToken);
        var known = Migration.Of(database.Kind).Select(static migration => migration.Version).ToHashSet();
        foreach (var migration in status.Applied)
            Console.WriteLine($"{Label(migration.Version, migration.Name)}  {migration.AppliedAt.ToString("u", CultureInfo.InvariantCulture)}{(known.Contains(migration.Version) ? "" : "  of a newer C-SSL")}");
        foreach (var migration in status.Pending)
            Console.WriteLine($"{Label(migration.Version, migration.Name)}  missing");
        Console.WriteLine(status.Pending.IsEmpty ? $"{database.Name} is up to date" : $"{database.Name} lacks {status.Pending.Length}: cssl db init");
        return status.Pending.IsEmpty ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static string Label(int version, string name) => string.Create(CultureInfo.InvariantCulture, $"{version:0000} {name,-12}");
}
