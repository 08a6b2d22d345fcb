using System.CommandLine;
using CSsl.Cli.Up;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl up</c>: a whole cluster on this machine.</summary>
internal static class UpCommand
{
    private const int MaximumSilos = 64;
    private const int MaximumGateways = 16;

    private static readonly Option<string?> Https = CommonOptions.Https();
    private static readonly Option<string?> Admin = CommonOptions.Admin();
    private static readonly Option<int> Gateways = CommonOptions.Count("--gateways", "How many gateways. They share the addresses of --https; each has its own admin endpoint, the second on the port after --admin's, and so on.", 1, MaximumGateways, 1);
    private static readonly Option<int> Handshake = CommonOptions.Count("--handshake", "How many handshake silos.", 1, MaximumSilos, 1);
    private static readonly Option<int> Data = CommonOptions.Count("--data", "How many data silos.", 1, MaximumSilos, 2);
    private static readonly Option<string?> Config = CommonOptions.Config();
    private static readonly Option<string?> Origin = CommonOptions.Origin();
    private static readonly Option<string> State = CommonOptions.State();
    private static readonly Option<bool> NoRestart = new("--no-restart") { Description = "Once the cluster serves, leave a process that ended unasked as it is, instead of starting it again." };
    private static readonly Argument<string[]> Settings = CommonOptions.Settings();

    public static Command Create()
    {
        var command = new Command("up", """
            Runs a cluster on this machine: gateways and silos as separate processes, and a sample origin when no other is named.
            Prints "ready https://…" once a request succeeds. Ctrl-C or SIGTERM stops all of it.
            """)
        {
            Https, Admin, Gateways, Handshake, Data, Config, Origin, State, NoRestart, Settings,
        };
        command.SetAction((result, _) => RunAsync(Read(result)));
        return command;
    }

    internal static UpOptions Read(ParseResult result) => new()
    {
        Https = result.GetValue(Https),
        Admin = result.GetValue(Admin),
        Gateways = result.GetValue(Gateways),
        HandshakeSilos = result.GetValue(Handshake),
        DataSilos = result.GetValue(Data),
        Config = result.GetValue(Config),
        Origin = result.GetValue(Origin),
        State = result.GetValue(State)!,
        Restart = !result.GetValue(NoRestart),
        Settings = result.GetValue(Settings) ?? [],
    };

    private static async Task<int> RunAsync(UpOptions options)
    {
        using var signal = new StopSignal();
        using var cluster = new LocalCluster(options, PrefixedOutput.ForConsole());
        return await cluster.RunAsync(signal);
    }
}
