using System.Net;
using System.Net.Sockets;

namespace CSsl.Bench.Servers;

/// <summary>C-SSL as `cssl up` (separate processes) or `cssl serve` (one), and the sample origin.</summary>
internal sealed class Cssl : IContestant
{
    private readonly ServerProcess _process;

    private Cssl(ServerProcess process, string name, int port)
    {
        (_process, Name, Port) = (process, name, port);
        ProcessIds = CpuTime.Tree(process.Id);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Port { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> ProcessIds { get; }

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
        int port = FreePort();
        (ServerProcess process, _) = await ServerProcess.StartAsync(
            "dotnet",
            [
                Assembly, command, "--https", $"{port}", "--admin", $"{FreePort()}", "--state", state, "--origin", origin,
                "--Certificates:0:Names=localhost",
                $"--Certificates:0:Certificate={Path.Combine(certificates, "ecdsa.crt")}",
                $"--Certificates:0:Key={Path.Combine(certificates, "ecdsa.key")}",
                .. settings,
            ],
            "ready ");
        return new Cssl(process, $"cssl {command}", port);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
