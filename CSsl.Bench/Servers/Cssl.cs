using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace CSsl.Bench.Servers;

/// <summary>C-SSL as `cssl up` (separate processes) or `cssl serve` (one), and the sample origin.</summary>
internal sealed class Cssl : IContestant
{
    private readonly ServerProcess _process;

    private Cssl(ServerProcess process, string name, int port, int admin)
    {
        (_process, Name, Port, AdminPort) = (process, name, port, admin);
        ProcessIds = CpuTime.Tree(process.Id);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Port { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> ProcessIds { get; }

    /// <summary>Port of the gateway's admin endpoint.</summary>
    public int AdminPort { get; }

    /// <summary>The processes of data silos.</summary>
    public IReadOnlyList<int> DataSilos => Processes("CSsl.Silo.dll", "--Silo:Roles=Data");

    /// <summary>The processes of handshake silos.</summary>
    public IReadOnlyList<int> HandshakeSilos => Processes("CSsl.Silo.dll", "--Silo:Roles=Handshake");

    /// <summary>The processes of gateways.</summary>
    public IReadOnlyList<int> Gateways => Processes("CSsl.Gateway.dll", "");

    private static string Assembly { get; } = Path.Combine(AppContext.BaseDirectory, "CSsl.Cli.dll");

    /// <summary>Starts the sample origin on a free port.</summary>
    /// <returns>Its process and its URL.</returns>
    public static Task<(ServerProcess Process, string Url)> StartOriginAsync()
        => ServerProcess.StartAsync("dotnet", [Assembly, "origin", "--port", "0"], "listening ");

    /// <summary>Makes certificates in a state folder: ca.crt, ecdsa.crt, ecdsa.key and others.</summary>
    public static async Task MakeCertificatesAsync(string state)
    {
        (ServerProcess process, _) = await ServerProcess.StartAsync("dotnet", [Assembly, "certs", "--state", state], readyPrefix: "");
        await process.DisposeAsync();
    }

    /// <summary>Starts a cluster of separate processes, or all of it in one.</summary>
    /// <param name="command">"up" or "serve".</param>
    /// <param name="state">Folder of its own.</param>
    /// <param name="certificates">The state folder whose P-256 certificate is used.</param>
    /// <param name="origin">URL of the origin.</param>
    /// <param name="settings">More of the command line.</param>
    public static async Task<Cssl> StartAsync(string command, string state, string certificates, string origin, IEnumerable<string> settings)
    {
        int port = FreePort(), admin = FreePort();
        (ServerProcess process, _) = await ServerProcess.StartAsync(
            "dotnet",
            [
                Assembly, command, "--https", $"{port}", "--admin", $"{admin}", "--state", state, "--origin", origin,
                "--Certificates:0:Names=localhost",
                $"--Certificates:0:Certificate={Path.Combine(certificates, "ecdsa.crt")}",
                $"--Certificates:0:Key={Path.Combine(certificates, "ecdsa.key")}",
                .. settings,
            ],
            "ready ");
        return new Cssl(process, $"cssl {command}", port, admin);
    }

    /// <summary>Runs `cssl COMMAND …` for this cluster.</summary>
    /// <exception cref="BenchException">It failed.</exception>
    public async Task OperateAsync(params string[] arguments)
    {
        using Process command = Process.Start("dotnet", [Assembly, .. arguments, "--admin", $"{AdminPort}"]);
        await command.WaitForExitAsync();
        if (command.ExitCode != 0)
            throw new BenchException($"cssl {string.Join(' ', arguments)} ended with exit code {command.ExitCode}");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private IReadOnlyList<int> Processes(string program, string argument) => [.. ProcessIds.Where(id => CpuTime.CommandLine(id) is var line
        && line.Contains(program, StringComparison.Ordinal) && line.Contains(argument, StringComparison.Ordinal))];

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
