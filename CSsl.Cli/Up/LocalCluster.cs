using CSsl.Cli.Commands;
using CSsl.Grains.Configuration;
using CSsl.Grains.Hosting;

namespace CSsl.Cli.Up;

/// <summary>A cluster of separate processes on this machine: starts them, says when they serve, stops them in order.</summary>
internal sealed class LocalCluster(UpOptions options, PrefixedOutput output) : IDisposable
{
    /// <summary>Longer than any process takes to drain what it has by default.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    private readonly List<Supervisor> _supervisors = [];

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
        var plan = new ClusterPlan(options, configuration, state);
        plan.ChoosePorts();
        plan.EnsureKeys();
        try
        {
            return await StartAsync(plan, signal.Stop) ?? await RunUntilStoppedAsync(signal.Stop);
        }
        catch (OperationCanceledException) when (signal.Stop.IsCancellationRequested)
        {
            return ExitCodes.Success;
        }
        finally
        {
            await StopAsync(signal.Hurry);
        }
    }

    public void Dispose() => _supervisors.ForEach(supervisor => supervisor.Dispose());

    /// <summary>Null when the cluster serves, or the exit code of the process that can't be started.</summary>
    private async Task<int?> StartAsync(ClusterPlan plan, CancellationToken cancellationToken)
    {
        var origin = plan.NeedsOrigin ? await StartOriginAsync(plan, cancellationToken) : null;
        var processes = plan.Processes(origin);
        foreach (var spec in processes)
            Add(spec).Start();

        using var probe = plan.CreateProbe();
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ready = probe.WaitAsync(processes.Count, hint => output.Line(PrefixedOutput.Self, hint), giveUp.Token);
        var failed = Task.WhenAny(_supervisors.Select(supervisor => supervisor.FailedAtStart));
        if (await Task.WhenAny(ready, failed) == failed)
        {
            await giveUp.CancelAsync();
            await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await await failed;
        }

        await ready;
        _supervisors.ForEach(supervisor => supervisor.StartedWell = true);
        output.Plain($"ready {probe.Url}");
        return null;
    }

    private static async Task<int> RunUntilStoppedAsync(CancellationToken stop)
    {
        await Task.Delay(Timeout.Infinite, stop);
        return ExitCodes.Success;
    }

    /// <summary>Starts the sample origin on a port of its choice; a restart of it takes the same port, which the silos know.</summary>
    private async Task<string> StartOriginAsync(ClusterPlan plan, CancellationToken cancellationToken)
    {
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var supervisor = Add(plan.Origin(port: 0));
        supervisor.Start(async reader =>
        {
            while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
            {
                if (line.StartsWith(OriginCommand.ListeningPrefix, StringComparison.Ordinal))
                    listening.TrySetResult(new Uri(line[OriginCommand.ListeningPrefix.Length..]));
                else
                    output.Line(supervisor.Spec.Name, line);
            }
        });

        var url = await listening.Task.WaitAsync(cancellationToken);
        supervisor.Change(plan.Origin(url.Port));
        return url.ToString();
    }

    /// <summary>Gateways first, so that no client is answered by a cluster that is half gone; then silos; then the origin.</summary>
    private async Task StopAsync(CancellationToken hurry)
    {
        foreach (var stage in _supervisors.GroupBy(supervisor => supervisor.Spec.Stage).OrderBy(stage => stage.Key))
            await Task.WhenAll(stage.Select(supervisor => supervisor.StopAsync(Patience, hurry)));
    }

    private Supervisor Add(ChildSpec spec)
    {
        var supervisor = new Supervisor(spec, output, options.Restart, TimeProvider.System);
        _supervisors.Add(supervisor);
        return supervisor;
    }
}
