using CSsl.Hosting.Configuration;

namespace CSsl.Grains.Cluster;

/// <summary>Judges an operator's command by the view: what would be a mistake is refused with the reason.</summary>
internal static class CommandCheck
{
    /// <summary>Null: it may be ordered. Otherwise why not.</summary>
    public static CommandAnswer? Judge(ClusterView view, SiloCommand command)
    {
        if (view.Silos.FirstOrDefault(silo => silo.Name == command.Silo) is not { } silo)
            return new CommandAnswer { Outcome = CommandOutcome.UnknownSilo, Reason = Unknown(view, command.Silo) };
        if (command.Roles is { } roles && (roles & ~silo.CapableRoles) is var missing and not SiloRoles.None)
            return Refuse($"{silo.Name} can't take the role {Name(missing)}: {(missing.HasFlag(SiloRoles.Handshake) ? "it was started without Certificates" : "it was started without ReverseProxy:Routes")}");

        var desired = new DesiredState(view);
        var keeps = command.Drain ?? desired.Drains(silo) ? SiloRoles.None : command.Roles ?? desired.RolesOf(silo);
        foreach (var role in (SiloRoles[])[SiloRoles.Handshake, SiloRoles.Data])
        {
            var isLast = desired.Serves(silo, role) && !view.Silos.Any(other => other.Name != silo.Name && desired.Serves(other, role));
            if (isLast && !keeps.HasFlag(role) && !command.Force)
                return Refuse($"{silo.Name} is the last silo with the role {Name(role)}: clients could not be served any more");
        }

        return null;
    }

    /// <summary>"handshake, data"; "none".</summary>
    public static string Name(SiloRoles roles) => roles.ToString().ToLowerInvariant();

    private static CommandAnswer Refuse(string reason) => new() { Outcome = CommandOutcome.Refused, Reason = reason };

    private static string Unknown(ClusterView view, string name)
    {
        var names = view.Silos.Select(static silo => silo.Name).ToList();
        if (names.Count == 0)
            return $"there is no silo '{name}', nor any other";
        return NearestKey.Find(name, names) is { } nearest
            ? $"there is no silo '{name}', did you mean '{nearest}'?"
            : $"there is no silo '{name}'; there {(names.Count == 1 ? "is" : "are")} {string.Join(", ", names.Take(10))}{(names.Count > 10 ? ", …" : "")}";
    }
}
