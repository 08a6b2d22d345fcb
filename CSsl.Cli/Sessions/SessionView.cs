using System.Globalization;
using CSsl.Cli.Status;
using CSsl.Grains.Data;
using Spectre.Console;

namespace CSsl.Cli.Sessions;

/// <summary>Shows sessions to people.</summary>
internal static class SessionView
{
    /// <summary>One row per session.</summary>
    public static Table Render(SessionList list, DateTimeOffset now)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var heading in (string[])["session", "client", "name", "protocol", "silo", "gateway"])
            table.AddColumn(new TableColumn(heading).NoWrap());
        foreach (var heading in (string[])["age", "in", "out"])
            table.AddColumn(new TableColumn(heading).NoWrap().RightAligned());
        foreach (var session in list.Sessions)
        {
            table.AddRow(
                session.SessionId.ToString(),
                Markup.Escape(session.Client),
                Markup.Escape(Printable(session.ServerName)),
                Markup.Escape($"{session.Version} {Printable(session.Protocol)}".TrimEnd()),
                Markup.Escape(session.Silo ?? State(session)),
                Markup.Escape(session.Gateway),
                StatusTable.Age(now - session.EstablishedAt),
                StatusTable.Bytes(session.BytesFromClient),
                StatusTable.Bytes(session.BytesToClient));
        }

        return table;
    }

    /// <summary>How many there are, and whose are missing.</summary>
    public static IEnumerable<string> Notes(SessionList list)
    {
        yield return list.Total == list.Sessions.Count
            ? $"{list.Total} sessions"
            : string.Create(CultureInfo.InvariantCulture, $"{list.Sessions.Count} of {list.Total} sessions (--limit shows more)");
        if (list.Silent.Count > 0)
            yield return $"{string.Join(", ", list.Silent)} did not answer: what {(list.Silent.Count == 1 ? "it has" : "they have")} is missing";
    }

    /// <summary>All that is known of one.</summary>
    public static IEnumerable<string> Describe(SessionInfo session, DateTimeOffset now)
    {
        yield return $"session      {session.SessionId}";
        yield return $"client       {session.Client} at {session.Gateway}";
        yield return $"server name  {(session.ServerName is null ? "none" : Printable(session.ServerName))}";
        yield return $"TLS          {session.Version}, {session.CipherSuite}";
        yield return $"protocol     {(session.Protocol is null ? "none agreed" : Printable(session.Protocol))}";
        yield return $"established  {session.EstablishedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {StatusTable.Age(now - session.EstablishedAt)} ago";
        yield return session is { Silo: { } silo, AttachedAt: { } at } ? $"silo         {silo}, for {StatusTable.Age(now - at)}" : $"silo         none: {State(session)}";
        yield return $"taken over   {session.Takeovers} time{(session.Takeovers == 1 ? "" : "s")}";
        yield return $"bytes        {session.BytesFromClient} in, {session.BytesToClient} out";
    }

    private static string State(SessionInfo session) => session.State == SessionState.Asleep ? "asleep" : "moving";

    /// <summary>A server name is whatever a client sent: no control character of it reaches a terminal.</summary>
    private static string Printable(string? text) => text is null ? "" : string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));
}
