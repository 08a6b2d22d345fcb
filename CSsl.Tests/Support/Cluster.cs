using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using CSsl.Database;
using Xunit;

namespace CSsl.Tests.Support;

/// <summary>How a cluster under test is started.</summary>
public sealed record ClusterSettings
{
    /// <summary>"up" (separate processes) or "serve" (one).</summary>
    public string Command { get; init; } = "up";

    public int HandshakeSilos { get; init; } = 1;

    public int DataSilos { get; init; } = 2;

    /// <summary>How many files each process may open (RLIMIT_NOFILE), "soft:hard"; null: as many as the test.</summary>
    public string? OpenFiles { get; init; }

    /// <summary>CSSL_ variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>More of the command line.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];
}

/// <summary>A process of the cluster, as `cssl status --json` tells it.</summary>
public sealed record ClusterProcess(string Name, int ProcessId, string Kind, IReadOnlyList<string> Roles, string State);

/// <summary>The real `cssl up` with its own ports and state folder: separate processes, a sample origin, development certificates.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "IAsyncLifetime.DisposeAsync disposes.")]
public sealed class Cluster : IAsyncLifetime, IAsyncDisposable
{
    // SiloStatus.Dead, as the table has it.
    private const int Dead = 6;

    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(30);

    private readonly ClusterSettings _settings;
    private readonly TempDirectory _state = new();
    private Tool? _cssl;

    /// <summary>The cluster that most tests share: two silos of each role, standard limits.</summary>
    public Cluster() : this(new ClusterSettings { HandshakeSilos = 2 })
    {
    }

    private Cluster(ClusterSettings settings)
    {
        _settings = settings;
        int[] ports = Ports.Free(2);
        (Port, AdminPort) = (ports[0], ports[1]);
    }

    /// <summary>The gateway's port for clients.</summary>
    public int Port { get; }

    /// <summary>The gateway's admin port.</summary>
    public int AdminPort { get; }

    /// <summary>https://127.0.0.1:port</summary>
    public Uri Address => new($"https://127.0.0.1:{Port}");

    /// <summary>"127.0.0.1:port", as `openssl s_client -connect` wants it.</summary>
    public string Endpoint => $"127.0.0.1:{Port}";

    /// <summary>PEM of the CA that signed the development certificates.</summary>
    public string CertificateAuthority => _state.File("ca.crt");

    /// <summary>The state folder.</summary>
    public string StateFolder => _state.Path;

    /// <summary>What all processes wrote; of `cssl up`, each line with its process's name.</summary>
    public Transcript Log => Running.Output;

    /// <summary>The process id of `cssl up` (or `cssl serve`) itself.</summary>
    public int ProcessId => Running.Id;

    private Tool Running => _cssl ?? throw new InvalidOperationException("the cluster was not started");

    /// <summary>Starts a cluster of a test's own.</summary>
    public static async Task<Cluster> StartAsync(ClusterSettings settings)
    {
        var cluster = new Cluster(settings);
        try
        {
            await cluster.InitializeAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        string[] silos = _settings.Command == "up" ? ["--handshake", $"{_settings.HandshakeSilos}", "--data", $"{_settings.DataSilos}"] : [];
        _cssl = Cssl.Start(
            [_settings.Command, .. silos, "--https", $"{Port}", "--admin", $"{AdminPort}", "--state", _state.Path, .. _settings.Arguments],
            TimeSpan.FromHours(1), _settings.Environment, mergeError: true, openFiles: _settings.OpenFiles);
        await Log.WaitForAsync($"ready {Address.GetLeftPart(UriPartial.Authority)}", StartDeadline);
    }

    async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_cssl is not null)
                await StopAsync();
        }
        finally
        {
            if (_cssl is not null)
                await _cssl.DisposeAsync();
            _state.Dispose();
        }
    }

    /// <summary>SIGTERM; then the exit code must be 0 and no process of the cluster may be left.</summary>
    public async Task StopAsync()
    {
        if (!ProcFs.IsAlive(ProcessId))
            return;

        IReadOnlyList<int> children = ProcFs.Descendants(ProcessId);
        ProcFs.Signal(ProcessId, ProcFs.SigTerm);
        ToolResult result = await Running.ExitAsync().WaitAsync(StopDeadline);
        Assert.True(result.ExitCode == 0, $"cssl {_settings.Command} ended with exit code {result.ExitCode}; its log:\n{Log.Tail()}");
        Assert.DoesNotContain(children, ProcFs.IsAlive);
    }

    /// <summary>A process of the cluster, by its name.</summary>
    public async Task<ClusterProcess> ProcessAsync(string name) => (await StatusAsync()).Single(process => process.Name == name);

    /// <summary>curl with one GET, which fails for a status of 400 and more too; the body is thrown away.</summary>
    /// <param name="path">Of the URL.</param>
    /// <param name="more">Other arguments.</param>
    public Task<ToolResult> CurlAsync(string path, params string[] more)
        => Tool.RunAsync("curl", ["-sSf", "--cacert", CertificateAuthority, "-o", "/dev/null", .. more, $"https://localhost:{Port}{path}"]);

    /// <summary>A counter of the gateway, as its metrics page has it.</summary>
    /// <param name="sample">Its name, with its labels, as Prometheus writes them; a part of them stands for the one that begins like that.</param>
    /// <param name="orZero">One with labels is not there before it has counted.</param>
    public async Task<long> CounterAsync(string sample, bool orZero = false)
    {
        using var client = new HttpClient();
        string page = await client.GetStringAsync(new Uri($"http://127.0.0.1:{AdminPort}/metrics"));
        string[] lines = [.. page.Split('\n').Where(line => line.StartsWith(sample, StringComparison.Ordinal))];
        if (orZero && lines.Length == 0)
            return 0;
        string line = Assert.Single(lines);
        return long.Parse(line.AsSpan(line.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture);
    }

    /// <summary>The silos that are not dead, by name, as the membership table has them.</summary>
    public async Task<IReadOnlyList<string>> LivingAsync() => await ClusterDatabase.Of(Path.Combine(StateFolder, "cluster.db")).ReadAsync(
        new Query("SELECT SiloName FROM OrleansMembershipTable WHERE Status <> @Dead ORDER BY SiloName").With("Dead", Dead), static row => row.GetString(0));

    /// <summary>The processes of the cluster.</summary>
    public async Task<IReadOnlyList<ClusterProcess>> StatusAsync()
    {
        ToolResult status = (await Cssl.RunAsync(["status", "--json", "--admin", $"{AdminPort}"])).Succeeded();
        using JsonDocument json = JsonDocument.Parse(status.Output);
        return [.. json.RootElement.GetProperty("processes").EnumerateArray().Select(process => new ClusterProcess(
            process.GetProperty("name").GetString()!,
            process.GetProperty("pid").GetInt32(),
            process.GetProperty("kind").GetString()!,
            [.. process.GetProperty("roles").EnumerateArray().Select(role => role.GetString()!)],
            process.GetProperty("state").GetString()!))];
    }
}
