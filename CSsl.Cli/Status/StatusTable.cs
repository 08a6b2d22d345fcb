using System.Globalization;
using CSsl.Grains.Cluster;
using Spectre.Console;

namespace CSsl.Cli.Status;

/// <summary>Shows a status to people.</summary>
internal static class StatusTable
{
    private const int ShownDecisions = 5;

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>One row per process.</summary>
    public static Table Render(ClusterStatus status, DateTimeOffset now)
    {
        var table = new Table { Border = TableBorder.Rounded, Title = new TableTitle(Markup.Escape($"cluster {status.ClusterId}")) };
        foreach (var heading in (string[])["name", "pid", "kind", "roles", "state"])
            table.AddColumn(new TableColumn(heading).NoWrap());
        foreach (var heading in (string[])["connections", "asleep", "handshakes/s", "bytes/s", "CPU", "memory", "up"])
            table.AddColumn(new TableColumn(heading).NoWrap().RightAligned());

        foreach (var process in status.Processes)
        {
            table.AddRow(
                Markup.Escape(process.Name),
                process.Pid.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(process.Kind),
                Markup.Escape(Roles(process)),
                $"[{Colour(process.State)}]{Markup.Escape(State(process))}[/]",
                process.Connections.ToString(CultureInfo.InvariantCulture),
                process.Sessions?.Asleep.ToString(CultureInfo.InvariantCulture) ?? "",
                process.HandshakesPerSecond.ToString("0.#", CultureInfo.InvariantCulture),
                Bytes(process.BytesPerSecond),
                process.Cpu.ToString("0.00", CultureInfo.InvariantCulture),
                Bytes(process.ResidentBytes),
                Age(now - process.StartedAt));
        }

        return table;
    }

    /// <summary>What became of connections, what silos are in trouble with, and the last changes of roles; empty when there is nothing to say.</summary>
    public static IEnumerable<string> Notes(ClusterStatus status, DateTimeOffset now)
    {
        var sessions = status.Processes.Select(static process => process.Sessions).OfType<SessionCounts>().ToList();
        if (sessions.Exists(static session => session.Hibernated + session.Woken + session.Moved + session.TakenOver + session.Lost > 0))
        {
            yield return $"connections: {sessions.Sum(static session => session.Hibernated)} hibernated, {sessions.Sum(static session => session.Woken)} woken, "
                + $"{sessions.Sum(static session => session.Moved)} moved, {sessions.Sum(static session => session.TakenOver)} taken over, {sessions.Sum(static session => session.Lost)} lost";
        }

        foreach (var gateway in status.Processes.Where(static process => process is { Kind: "gateway", HandshakeQueue: > 0 }))
        {
            yield return $"{gateway.Name}: {gateway.HandshakeQueue} clients wait for their handshake"
                + (gateway.HandshakePace is { } pace ? string.Create(CultureInfo.InvariantCulture, $"; all CPU is in use, {pace:0} per second begin") : "");
        }

        foreach (var process in status.Processes.Where(static process => process.Trouble is not null))
            yield return $"{process.Name}: {process.Trouble}";
        foreach (var decision in status.Decisions.TakeLast(ShownDecisions))
            yield return $"{Age(now - decision.At)} ago  {decision.Silo}: {Name(decision.From)} -> {Name(decision.To)}, by the {decision.By.ToLowerInvariant()}: {decision.Reason}";
    }

    /// <summary>"Data", "Data -> Handshake" while it changes, with a star when the cluster decides about them.</summary>
    private static string Roles(ProcessStatus process)
    {
        if (process.Kind != "silo")
            return "";
        var isChanging = process.DesiredRoles.Count > 0 && !process.Roles.SequenceEqual(process.DesiredRoles);
        return Name(process.Roles) + (isChanging ? $" -> {Name(process.DesiredRoles)}" : "") + (process.Mode == nameof(RoleMode.Auto) ? " *" : "");
    }

    private static string State(ProcessStatus process)
        => process is { Drains: true, State: nameof(SiloState.Active) } ? $"{process.State} -> {nameof(SiloState.Draining)}" : process.State;

    private static string Name(IReadOnlyList<string> roles) => roles.Count > 0 ? string.Join(", ", roles) : nameof(SiloRoles.None);

    /// <summary>"1.5 MiB".</summary>
    internal static string Bytes(double bytes)
    {
        var unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 ? Math.Round(bytes) : bytes):0.#} {Units[unit]}");
    }

    /// <summary>"42s", "5m", "3h", "2d".</summary>
    internal static string Age(TimeSpan age) => age switch
    {
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)age.TotalSeconds)}s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes}m"),
        { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours}h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays}d"),
    };

    private static string Colour(string state) => state switch
    {
        nameof(SiloState.Active) => "green",
        nameof(SiloState.Silent) => "red",
        _ => "yellow",
    };
}
