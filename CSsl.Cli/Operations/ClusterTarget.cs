using System.CommandLine;
using CSsl.Cli.Commands;
using CSsl.Cli.Status;
using CSsl.Cli.Up;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Operations;

/// <summary>Which running cluster a command is for: by a gateway's admin endpoint or by the state folder of its <c>cssl up</c>; without either, by the configuration.</summary>
internal sealed class ClusterTarget
{
    private readonly Option<string?> _admin = CommonOptions.Admin();
    private readonly Option<string?> _config = CommonOptions.Config();
    private readonly Option<string?> _state = new("--state") { Description = "State folder of the running `cssl up` or `cssl serve`, instead of --admin.", HelpName = "DIR" };

    /// <summary>Adds the options.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_admin);
        command.Options.Add(_state);
        command.Options.Add(_config);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_admin) is not null && result.GetResult(_state) is not null)
                result.AddError("--admin and --state both say which cluster it is: give one of them.");
        });
    }

    /// <summary>host:port of a gateway's admin endpoint.</summary>
    /// <exception cref="StatusException">No cluster runs with the state folder.</exception>
    /// <exception cref="ConfigurationException">The configuration can't be read, or does not say.</exception>
    public string Admin(ParseResult result)
    {
        if (result.GetValue(_state) is { } state)
            return StateFolder.At(state).ReadAdmin() ?? throw NothingRuns(state);
        if (result.GetValue(_admin) is { } admin)
            return admin;

        var configuration = CsslConfiguration.Load(CommonOptions.LoaderArguments(result.GetValue(_config), null));
        var configured = HostPort.Reachable(HostPort.Parse(configuration.Settings.Gateway.Admin));
        return configured.Port != 0
            ? configured.ToString()
            : throw new ConfigurationException($"{configuration.OriginOf("Gateway:Admin")}: Gateway:Admin has port 0: say with --admin or --state which cluster it is");
    }

    /// <summary>Where the <c>cssl up</c> of the cluster takes requests.</summary>
    /// <exception cref="StatusException">There is none, or it does not answer.</exception>
    /// <exception cref="ConfigurationException"><inheritdoc cref="Admin"/></exception>
    public async Task<string> SupervisorAsync(ParseResult result, CancellationToken cancellationToken)
    {
        if (result.GetValue(_state) is { } state)
            return StateFolder.At(state).ControlSocket;
        var admin = Admin(result);
        using var client = new StatusClient(admin);
        return await client.GetSupervisorAsync(cancellationToken)
            ?? throw new StatusException($"the gateway at {admin} was not started by `cssl up`: silos come and go there with whoever started it");
    }

    private static StatusException NothingRuns(string state) => new($"no cluster runs with the state folder {Path.GetFullPath(state)} (--state if it is another one)");
}
