using System.Net.Sockets;
using CSsl.Cli.Commands;
using CSsl.Cli.Up.Control;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Up;

/// <summary>A cluster of separate processes on this machine: starts them, says when they serve, stops them in order.</summary>
internal sealed class LocalCluster(UpOptions options, PrefixedOutput output) : IDisposable
{
    private readonly Supervisors _supervisors = new(output, options.Restart);

    /// <summary>Runs until a signal.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    /// <exception cref="ConfigurationException">A wrong configuration.</exception>
    /// <exception cref="InUseException">A port or the state folder is taken.</exception>
    public async Task<int> RunAsync(StopSignal signal)
    {
        var configuration = CsslConfiguration.Load(CommonOptions.LoaderArguments(options.Config, [.. options.Settings]));
        if (configuration.Settings.WatchParent)
            signal.WatchParent();
        var state = StateFolder.Create(options.State);
        using var claim = state.Claim();
        using var plan = new ClusterPlan(options, configuration, state);
        plan.ChoosePorts();
        plan.EnsureKeys();
        state.WriteAdmin(HostPort.Reachable(HostPort.Parse(plan.Admin)).ToString());
        try
        {
            return await StartAsync(plan, signal.Stop) ?? await RunUntilStoppedAsync(plan, state, signal.Stop);
        }
        catch (OperationCanceledException) when (signal.Stop.IsCancellationRequested)
        {
            return ExitCodes.Success;
        }
        finally
        {
            await _supervisors.StopAsync(signal.Hurry);
        }
    }

    public void Dispose() => _supervisors.Dispose();

    /// <summary>Null when the cluster serves, or the exit code of the process that can't be started.</summary>
    private async Task<int?> StartAsync(ClusterPlan plan, CancellationToken cancellationToken)
    {
        var processes = plan.Processes();
        foreach (var spec in plan.Origin is { } origin ? [origin, .. processes] : processes)
            _supervisors.TryAdd(spec)!.Start();

        using var probe = plan.CreateProbe();
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ready = probe.WaitAsync(processes.Count, hint => output.Line(PrefixedOutput.Self, hint), giveUp.Token);
        var failed = Task.WhenAny(_supervisors.All.Select(supervisor => supervisor.FailedAtStart));
        if (await Task.WhenAny(ready, failed) == failed)
        {
            await giveUp.CancelAsync();
            await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await await failed;
        }

        await ready;
        foreach (var supervisor in _supervisors.All)
            supervisor.StartedWell = true;
        output.Plain($"ready {probe.Url}");
        return null;
    }

    /// <summary>From here on silos can be added and removed.</summary>
    private async Task<int> RunUntilStoppedAsync(ClusterPlan plan, StateFolder state, CancellationToken stop)
    {
        var silos = new ElasticSilos(_supervisors, plan);
        await using var control = TryListen(state, silos);
        await Task.Delay(Timeout.Infinite, stop);
        return ExitCodes.Success;
    }

    private ControlSocket? TryListen(StateFolder state, ElasticSilos silos)
    {
        try
        {
            return ControlSocket.Listen(state.ControlSocket, silos.HandleAsync);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or SocketException or IOException or UnauthorizedAccessException)
        {
            output.Line(PrefixedOutput.Self, $"cssl silo can't be used with this cluster: no socket {state.ControlSocket}: {e.Message}");
            return null;
        }
    }
}
