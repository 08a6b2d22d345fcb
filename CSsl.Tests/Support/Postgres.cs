using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using CSsl.Database;
using Npgsql;
using Xunit;

namespace CSsl.Tests.Support;

/// <summary>A test that needs PostgreSQL: skipped, with the reason, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
        => Skip = Postgres.Missing;
}

/// <summary>
/// A PostgreSQL server of the tests' own: Debian's, with its data in a temporary folder and on a free port of 127.0.0.1. Not as root, which it
/// refuses. It ends when its standard input does, and so with the tests, however they end.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "IAsyncLifetime.DisposeAsync disposes.")]
public sealed class Postgres : IAsyncLifetime
{
    private const string User = "postgres";

    /// <summary>Ends the server in a hurry, as a crash does, when its own input ends.</summary>
    private const string Guarded = "\"$@\" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server";

    private static readonly string? Programs = FindPrograms();

    private readonly TempDirectory _folder = new();
    private readonly int _port = Ports.Free(1)[0];
    private Tool? _server;
    private int _databases;

    /// <summary>Why there is no PostgreSQL here; null when there is.</summary>
    public static string? Missing => Programs is null ? "PostgreSQL is not installed: apt-get install postgresql (./cssl test does, as root)" : null;

    private static bool IsRoot => Environment.UserName == "root";

    private string Data => _folder.File("data");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (Missing is not null)
            return;

        // The server's user must reach its folder.
        (await Tool.RunAsync("chmod", ["711", _folder.Path])).Succeeded();
        string[] owner = IsRoot ? ["-o", User, "-g", User] : [];
        (await Tool.RunAsync("install", ["-d", "-m", "700", .. owner, Data])).Succeeded();
        (await RunAsync(Path.Combine(Programs!, "initdb"), "-D", Data, "-U", "cssl", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions")).Succeeded();
        await StartAsync();
    }

    /// <summary>Starts the server, anew after <see cref="KillAsync"/>: with the same data and port.</summary>
    public async Task StartAsync()
    {
        _server = Start("sh", "-c", Guarded, "sh", Path.Combine(Programs!, "postgres"), "-D", Data, "-p", _port.ToString(CultureInfo.InvariantCulture), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off");
        await _server.Error.WaitForAsync("ready to accept connections");
    }

    /// <summary>The server ends at once: connections break, nothing is put in order.</summary>
    public async Task KillAsync()
    {
        _server!.CloseInput();
        await _server.ExitAsync();
        await _server.DisposeAsync();
        _server = null;

        // Or the next test gets a connection that this one broke.
        NpgsqlConnection.ClearAllPools();
    }

    /// <summary>A new, empty database.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        string name = $"test{Interlocked.Increment(ref _databases)}";
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync();
        await using NpgsqlCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A name of our own.
        command.CommandText = $"CREATE DATABASE {name}";
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_server is not null)
            await KillAsync();
        _folder.Dispose();
    }

    private string ConnectionString(string database) => $"Host=127.0.0.1;Port={_port};Username=cssl;Database={database}";

    private static Tool Start(params string[] command)
        => IsRoot ? Tool.Start("setpriv", ["--reuid", User, "--regid", User, "--clear-groups", "--", .. command], deadline: TimeSpan.FromHours(1)) : Tool.Start(command[0], command[1..], deadline: TimeSpan.FromHours(1));

    private static async Task<ToolResult> RunAsync(params string[] command)
    {
        await using Tool tool = Start(command);
        tool.CloseInput();
        return await tool.ExitAsync();
    }

    /// <summary>The newest version's folder of programs.</summary>
    private static string? FindPrograms()
    {
        const string Debian = "/usr/lib/postgresql";
        return Directory.Exists(Debian)
            ? Directory.EnumerateDirectories(Debian).OrderByDescending(static folder => double.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out double version) ? version : 0)
                .Select(static folder => Path.Combine(folder, "bin")).FirstOrDefault(static bin => File.Exists(Path.Combine(bin, "initdb")))
            : null;
    }
}

/// <summary>Tests with databases of both kinds; they share a server.</summary>
[CollectionDefinition(Name)]
public sealed class Databases : ICollectionFixture<Postgres>
{
    public const string Name = "databases";

    /// <summary>The kinds that there are here. <c>PostgresTests</c> says so when PostgreSQL is missing.</summary>
    public static TheoryData<DatabaseKind> Kinds => Postgres.Missing is null ? [DatabaseKind.Sqlite, DatabaseKind.Postgres] : [DatabaseKind.Sqlite];
}
