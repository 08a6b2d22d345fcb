using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using CSsl.Cli.Operations;
using CSsl.Cli.Status;
using CSsl.Cli.Up.Control;
using CSsl.Grains.Cluster;
using CSsl.Hosting;

namespace CSsl.Cli.Up;

/// <summary>Adds silos to a running local cluster, and takes them out; several at a time. That a role keeps its last silo is for the cluster grain to see, which takes orders one by one.</summary>
/// <param name="supervisors">The cluster's processes.</param>
/// <param name="plan">Makes the silos' command lines.</param>
internal sealed class ElasticSilos(Supervisors supervisors, ClusterPlan plan)
{
    /// <summary>Silos in one local cluster.</summary>
    private const int MaxSilos = 256;

    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);

    /// <summary>Those that a request takes out.</summary>
    private readonly ConcurrentDictionary<Supervisor, bool> _leaving = [];

    private string Admin => HostPort.Reachable(HostPort.Parse(plan.Admin)).ToString();

    /// <summary>Does what is asked; whatever goes wrong is in the answer.</summary>
    public async Task<ControlAnswer> HandleAsync(ControlRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return new ControlAnswer
            {
                Message = request.Command switch
                {
                    ControlRequest.Add => await AddAsync(request, cancellationToken),
                    ControlRequest.Remove => await RemoveAsync(request, cancellationToken),
                    _ => throw new OrderException($"'{request.Command}' is neither {ControlRequest.Add} nor {ControlRequest.Remove}", ExitCodes.BadConfiguration),
                },
            };
        }
        catch (Exception e) when (e is OrderException or StatusException)
        {
            return new ControlAnswer { Message = e.Message, ExitCode = e is OrderException order ? order.ExitCode : ExitCodes.Failure };
        }
    }

    private async Task<string> AddAsync(ControlRequest request, CancellationToken cancellationToken)
    {
        var roles = RolesOf(request.Roles ?? nameof(SiloRoles.Data));
        if (request.Name is not null && !ProcessName.IsValid(request.Name))
            throw new OrderException($"'{request.Name}' is no name for a silo: {ProcessName.Rule}", ExitCodes.BadConfiguration);
        if (supervisors.All.Count(static supervisor => supervisor.Spec.Stage == StopStage.Silo) >= MaxSilos)
            throw new OrderException($"there are {MaxSilos} silos already", ExitCodes.Failure);

        var watch = Stopwatch.StartNew();
        var supervisor = request.Name is { } asked
            ? supervisors.TryAdd(plan.Silo(asked, roles)) ?? throw new OrderException($"there is a process {asked} already", ExitCodes.BadConfiguration)
            : Names(roles).Select(name => supervisors.TryAdd(plan.Silo(name, roles))).First(static added => added is not null)!;
        supervisor.Start();
        try
        {
            await ServesAsync(supervisor, cancellationToken);
        }
        catch (Exception e) when (e is OrderException or StatusException)
        {
            if (_leaving.TryAdd(supervisor, true))
                await supervisors.RemoveAsync(supervisor, CancellationToken.None);
            throw;
        }

        supervisor.StartedWell = true;
        return string.Create(CultureInfo.InvariantCulture, $"{supervisor.Spec.Name} serves, {watch.Elapsed.TotalSeconds:0.0} s after it was started");
    }

    private async Task ServesAsync(Supervisor supervisor, CancellationToken cancellationToken)
    {
        using var client = new OperatorClient(Admin);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var active = client.WaitAsync(
            supervisor.Spec.Name, process => process is { State: nameof(SiloState.Active) } && process.Pid == supervisor.ProcessId, StartTime, giveUp.Token);
        if (await Task.WhenAny(active, supervisor.FailedAtStart) == active)
        {
            await active;
            return;
        }

        await giveUp.CancelAsync();
        await ((Task)active).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        throw new OrderException($"{supervisor.Spec.Name} can't be started: its log says why", await supervisor.FailedAtStart);
    }

    private async Task<string> RemoveAsync(ControlRequest request, CancellationToken cancellationToken)
    {
        var silos = supervisors.All.Where(static supervisor => supervisor.Spec.Stage == StopStage.Silo).ToList();
        if (silos.Find(silo => silo.Spec.Name == request.Name) is not { } supervisor)
            throw new OrderException($"this cluster has not started a silo '{request.Name}'; there {(silos.Count == 1 ? "is" : "are")} {string.Join(", ", silos.Select(static silo => silo.Spec.Name))}", ExitCodes.BadConfiguration);

        if (!_leaving.TryAdd(supervisor, true))
            throw new OrderException($"{supervisor.Spec.Name} is being taken out already", ExitCodes.Failure);

        try
        {
            await DrainAsync(supervisor.Spec.Name, request, cancellationToken);
        }
        catch (Exception e) when (request.Force && e is OrderException or StatusException)
        {
            await supervisors.RemoveAsync(supervisor, cancellationToken);
            return $"{supervisor.Spec.Name} is stopped, not drained: {e.Message}";
        }
        catch
        {
            _leaving.TryRemove(supervisor, out _);
            throw;
        }

        await supervisors.RemoveAsync(supervisor, cancellationToken);
        return $"{supervisor.Spec.Name} is drained and stopped";
    }

    private async Task DrainAsync(string name, ControlRequest request, CancellationToken cancellationToken)
    {
        using var client = new OperatorClient(Admin);
        var version = await client.OrderAsync(new OrderRequest { Silo = name, Drain = true, Force = request.Force }, cancellationToken);
        await client.WaitAsync(name, process => OperatorClient.IsDrained(process, version), TimeSpan.FromSeconds(Math.Clamp(request.TimeoutSeconds, 0, 86_400)), cancellationToken);
    }

    private static SiloRoles RolesOf(string text)
    {
        var roles = SiloRoles.None;
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            roles |= Enum.GetValues<SiloRoles>().FirstOrDefault(role => role.ToString().Equals(word, StringComparison.OrdinalIgnoreCase)) is var role and not SiloRoles.None
                ? role
                : throw new OrderException($"'{word}' is no role: handshake, data, or handshake,data", ExitCodes.BadConfiguration);
        }

        return roles != SiloRoles.None ? roles : throw new OrderException("a silo starts with a role: handshake, data, or handshake,data", ExitCodes.BadConfiguration);
    }

    /// <summary>What a silo without a name of its own may be called: "data-1", "data-2" …</summary>
    private static IEnumerable<string> Names(SiloRoles roles)
    {
        var stem = roles switch
        {
            SiloRoles.Handshake => "handshake",
            SiloRoles.Data => "data",
            _ => "silo",
        };
        return Enumerable.Range(1, int.MaxValue).Select(number => $"{stem}-{number}");
    }
}
