using System.CommandLine;
using CSsl.Cli.Origin;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl origin</c>: the sample HTTP server alone.</summary>
internal static class OriginCommand
{
    /// <summary>What it writes once it listens; its address follows.</summary>
    public const string ListeningPrefix = "listening ";

    public static Command Create()
    {
        var port = CommonOptions.Count("--port", "Port on 127.0.0.1 for HTTP/1.1; 0 takes a free one.", 0, ushort.MaxValue, 8080);
        var h2c = new Option<int?>("--h2c") { Description = "Another port, for HTTP/2 without TLS (prior knowledge).", HelpName = "N" };
        var config = CommonOptions.Config();
        var settings = CommonOptions.Settings();
        var command = new Command("origin", """
            Runs the sample HTTP server that `cssl up` puts behind the cluster: / (who served this), /bytes/{n} (with ranges), /echo, /sink, /slow?ms=,
            /sse?count=&ms=, /ws, /headers, /die?after=
            """)
        {
            port, h2c, config, settings,
        };
        command.SetAction((result, _) =>
        {
            var loaded = CsslConfiguration.Load(CommonOptions.LoaderArguments(result.GetValue(config), result.GetValue(settings)));
            return RunAsync(loaded, result.GetValue(port), result.GetValue(h2c));
        });
        return command;
    }

    private static async Task<int> RunAsync(LoadedConfiguration configuration, int port, int? h2c)
    {
        await using var origin = await SampleOrigin.StartAsync(configuration, port, h2c);
        Console.WriteLine($"{ListeningPrefix}{origin.Address}");
        await origin.WaitForShutdownAsync();
        return ExitCodes.Success;
    }
}
