using System.CommandLine;
using CSsl.Cli.Origin;
using CSsl.Cli.Up;
using CSsl.Gateway;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Silo;
using Microsoft.AspNetCore.Builder;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl serve</c>: gateway and silo in one process, for one box.</summary>
internal static class ServeCommand
{
    /// <summary>The gateway and the silo, as the cluster's view counts them.</summary>
    private const int Members = 2;

    private static readonly Option<string?> Https = CommonOptions.Https();
    private static readonly Option<string?> Admin = CommonOptions.Admin();
    private static readonly Option<string?> Config = CommonOptions.Config();
    private static readonly Option<string?> Origin = CommonOptions.Origin();
    private static readonly Option<string> State = CommonOptions.State();
    private static readonly Argument<string[]> Settings = CommonOptions.Settings();

    public static Command Create()
    {
        var command = new Command("serve", """
            Runs gateway and silo in one process, for one box. What the configuration does not say is as with `cssl up`.
            Prints "ready https://…" once a request succeeds. Ctrl-C or SIGTERM stops it.
            """)
        {
            Https, Admin, Config, Origin, State, Settings,
        };
        command.SetAction((result, _) => RunAsync(Read(result)));
        return command;
    }

    private static UpOptions Read(ParseResult result) => new()
    {
        Https = result.GetValue(Https),
        Admin = result.GetValue(Admin),
        Config = result.GetValue(Config),
        Origin = result.GetValue(Origin),
        State = result.GetValue(State)!,
        Settings = result.GetValue(Settings) ?? [],
    };

    private static async Task<int> RunAsync(UpOptions options)
    {
        // Before the origin's first socket: they share the process.
        SocketCompletions.RunInline();
        var configuration = CsslConfiguration.Load(CommonOptions.LoaderArguments(options.Config, [.. options.Settings]));
        var state = StateFolder.At(options.State);
        using var plan = new ClusterPlan(options, configuration, state);
        using var claim = plan.NeedsState ? StateFolder.Create(options.State).Claim() : null;
        plan.ChoosePorts();
        if (plan.NeedsState)
        {
            plan.EnsureKeys();
            state.WriteAdmin(HostPort.Reachable(HostPort.Parse(plan.Admin)).ToString());
        }

        await using var origin = plan.OriginPort is { } port ? await SampleOrigin.StartAsync(configuration, port) : null;
        ConfigurationException? hopeless = null;
        var exitCode = await CsslHost.RunAsync([.. plan.SingleProcess()], AddParts, app => AnnounceWhenReady(app, plan, reason => hopeless = reason));
        return hopeless is null ? exitCode : CsslHost.Report(hopeless);
    }

    private static void AddParts(WebApplicationBuilder builder)
    {
        builder.AddCsslSilo();
        builder.AddCsslGateway();
    }

    private static void AnnounceWhenReady(WebApplication app, ClusterPlan plan, Action<ConfigurationException> giveUp)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        app.Lifetime.ApplicationStarted.Register(() => _ = AnnounceAsync());

        async Task AnnounceAsync()
        {
            using var probe = plan.CreateProbe();
            try
            {
                await probe.WaitAsync(Members, static hint => ConsoleLine.Write(Console.Error, $"cssl: {hint}"), stopping);
                ConsoleLine.Write(Console.Out, $"ready {probe.Url}");
            }
            catch (OperationCanceledException)
            {
                // Stopped before it served.
            }
            catch (ConfigurationException e)
            {
                giveUp(e);
                app.Lifetime.StopApplication();
            }
        }
    }
}
