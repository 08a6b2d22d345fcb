using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using CSsl.Bench.Load;
using CSsl.Bench.Servers;

namespace CSsl.Bench.Scaling;

/// <summary>The clients of a storm, in a process of their own, so that their CPU can be limited.</summary>
internal static class StormCrowd
{
    private const int Clients = 200;
    private const int Rehearsals = 8;

    /// <summary>The command that the process runs.</summary>
    public static Command Command()
    {
        var port = new Option<int>("--port");
        var seconds = new Option<int>("--seconds");
        var certificate = new Option<string>("--certificate");
        var command = new Command("storm-crowd", "Makes new connections; used by storm.") { port, seconds, certificate };
        command.Hidden = true;
        command.SetAction(async parsed =>
        {
            using X509Certificate2 leaf = X509CertificateLoader.LoadCertificateFromFile(parsed.GetValue(certificate)!);
            int time = parsed.GetValue(seconds);
            var load = new Handshakes(parsed.GetValue(port), leaf.RawData, "/bytes/1024", 1024) { ToleratesRefusals = true };

            // Compiled before it begins.
            await load.RunAsync(Rehearsals, clients: 1);
            Console.WriteLine("ready");
            await Console.In.ReadLineAsync();
            int done = await load.RunForAsync(TimeSpan.FromSeconds(time), Clients);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"rate {done / (double)time:0.0}"));
            return 0;
        });
        return command;
    }

    /// <summary>A storm of so many seconds.</summary>
    /// <param name="port">HTTPS port.</param>
    /// <param name="certificates">The folder with the server's certificate.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="group">Limits its CPU; null: nothing does.</param>
    /// <param name="onStart">Called when its clients begin.</param>
    /// <returns>Connections per second that were answered.</returns>
    public static async Task<double> RunAsync(int port, string certificates, int seconds, CpuGroup? group, Action? onStart = null)
    {
        (ServerProcess crowd, _) = await ServerProcess.StartAsync(
            "dotnet", [typeof(StormCrowd).Assembly.Location, "storm-crowd", "--port", $"{port}", "--seconds", $"{seconds}", "--certificate", Path.Combine(certificates, "ecdsa.crt")], "ready");
        await using (crowd)
        {
            group?.Add([crowd.Id]);
            onStart?.Invoke();
            return double.Parse(await crowd.AskAsync("go", "rate "), CultureInfo.InvariantCulture);
        }
    }
}
