using System.Diagnostics;
using System.Globalization;
using CSsl.Cli.Operations;
using CSsl.Cli.Status;
using CSsl.Cli.Up.Control;
using CSsl.Grains.Cluster;
using CSsl.Hosting;

namespace CSsl.Cli.Up;

/// <summary>Adds silos to a running local cluster, and takes them out: one at a time, because the last silo of a role must stay.</summary>
/// <param name="supervisors">The cluster's processes.</param>
/// <param name="plan">Makes the silos' command lines.</param>
/// <param name="origin">URL of the sample origin; null when it is not needed.</param>
internal sealed class ElasticSilos(Supervisors supervisors, ClusterPlan plan, string? origin)
{
    /// <summary>Silos in one local cluster.</summary>
    private const int MaxSilos = 256;

    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);

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
        var names = supervisors.All.Select(static supervisor => supervisor.Spec.Name).ToHashSet(StringComparer.Ordinal);
        var name = request.Name ?? NextName(roles, names);
        if (names.Contains(name))
            throw new OrderException($"there is a process {name} already", ExitCodes.BadConfiguration);
        if (name.Length > 64 || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new OrderException($"'{name}' is no name for a silo: letters, digits, '-', '_' and '.'", ExitCodes.BadConfiguration);
        if (supervisors.All.Count(static supervisor => supervisor.Spec.Stage == StopStage.Silo) >= MaxSilos)
            throw new OrderException($"there are {MaxSilos} silos already", ExitCodes.Failure);

        var watch = Stopwatch.StartNew();
        var supervisor = supervisors.Add(plan.Silo(name, roles, origin));
        supervisor.Start();
        try
        {
            await ServesAsync(supervisor, cancellationToken);
        }
        catch (Exception e) when (e is OrderException or StatusException)
        {
            await supervisors.RemoveAsync(supervisor, CancellationToken.None);
            throw;
        }

        supervisor.StartedWell = true;
        return string.Create(CultureInfo.InvariantCulture, $"{name} serves, {watch.Elapsed.TotalSeconds:0.0} s after it was started");
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

        try
        {
            await DrainAsync(supervisor.Spec.Name, request, cancellationToken);
        }
        catch (Exception e) when (request.Force && e is OrderException or StatusException)
        {
            await supervisors.RemoveAsync(supervisor, cancellationToken);
            return $"{supervisor.Spec.Name} is stopped, not drained: {e.Message}";
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

    private static string NextName(SiloRoles roles, HashSet<string> taken)
    {
        var stem = roles switch
        {
            SiloRoles.Handshake => "handshake",
            SiloRoles.Data => "data",
            _ => "silo",
        };
        return Enumerable.Range(1, int.MaxValue).Select(number => $"{stem}-{number}").First(name => !taken.Contains(name));
    }
}
