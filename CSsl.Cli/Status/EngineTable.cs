using System.Globalization;
using CSsl.Grains.Cluster;
using Spectre.Console;

namespace CSsl.Cli.Status;

/// <summary>Shows what the record engines of the data silos do, and how many records share a call.</summary>
internal static class EngineTable
{
    /// <summary>One row per data silo; null when there is none.</summary>
    public static Table? Render(ClusterStatus status)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var heading in (string[])["name", "record engine"])
            table.AddColumn(new TableColumn(heading).NoWrap());
        foreach (var heading in (string[])["calls/s", "records/s", "records/call", "bytes/call", "lane fill", "queue wait"])
            table.AddColumn(new TableColumn(heading).NoWrap().RightAligned());
        table.AddColumn(new TableColumn("calls by records").NoWrap());

        foreach (var process in status.Processes)
        {
            if (process.Engine is not { } engine || !process.Roles.Contains(nameof(SiloRoles.Data)))
                continue;
            table.AddRow(
                Markup.Escape(process.Name),
                Markup.Escape(engine.Name),
                Number(engine.CallsPerSecond, "0"),
                Number(engine.RecordsPerSecond, "0"),
                Number(engine.RecordsPerCall, "0.0"),
                StatusTable.Bytes(engine.BytesPerCall),
                engine.LaneFill > 0 ? Number(engine.LaneFill, "0%") : "",
                engine.QueueWait > 0 ? Number(engine.QueueWait * 1e6, "0.0 us") : "",
                Sizes(engine.Batches));
        }

        return table.Rows.Count > 0 ? table : null;
    }

    /// <summary>"1: 70%  2-3: 20%  4-7: 10%": sizes that a hundredth of the calls or more had.</summary>
    internal static string Sizes(IReadOnlyList<long> batches)
    {
        var calls = batches.Sum();
        return string.Join("  ", batches
            .Select((count, i) => (Count: count, Least: 1L << i))
            .Where(size => size.Count > 0 && size.Count * 100 >= calls)
            .Select(size => $"{(size.Least == 1 ? "1" : $"{size.Least}-{2 * size.Least - 1}")}: {Number((double)size.Count / calls, "0%")}"));
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
