using System.Globalization;
using System.Text;
using Spectre.Console;

namespace CSsl.Bench.Reports;

/// <summary>A result: a table on the terminal, and a page of Markdown.</summary>
/// <param name="Title">What was measured.</param>
/// <param name="Method">How, in a paragraph.</param>
/// <param name="Unit">"handshake" or "GB".</param>
/// <param name="Scale">1e6 shows microseconds, 1 seconds.</param>
internal sealed record Report(string Title, string Method, string Unit, double Scale)
{
    private const int WidthWithoutTerminal = 160;

    private string Time => Scale > 1 ? "µs" : "s";

    private string[] Headings => ["", $"CPU {Time} per {Unit}", "min to max", "ratio to nginx (proxy)", $"origin {Time} per {Unit}", $"{Unit}s/s"];

    /// <summary>Shows the result; the first series is the yardstick.</summary>
    public void Print(IReadOnlyList<Series> results)
    {
        var table = new Table { Border = TableBorder.Rounded, Title = new TableTitle(Markup.Escape(Title)) };
        foreach (string heading in Headings)
            table.AddColumn(new TableColumn(Markup.Escape(heading)).RightAligned());
        foreach (string[] row in Rows(results))
            table.AddRow([.. row.Select(Markup.Escape)]);
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = WidthWithoutTerminal;
        AnsiConsole.Write(table);
    }

    /// <summary>Adds the result to a Markdown file.</summary>
    public async Task WriteAsync(string path, IReadOnlyList<Series> results)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {Title}\n\n{Method}\n\n");
        foreach (string line in Machine.Describe())
            text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        text.Append(CultureInfo.InvariantCulture, $"- Rounds: {results[0].Rounds.Count}, every contestant once in each; medians\n\n");
        text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", Headings)} |\n|---|{string.Concat(Enumerable.Repeat("---:|", Headings.Length - 1))}\n");
        foreach (string[] row in Rows(results))
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |\n");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        await File.WriteAllTextAsync(path, text.ToString());
    }

    private IEnumerable<string[]> Rows(IReadOnlyList<Series> results) => results.Select(series => (string[])
    [
        series.Name,
        Number(series.Median(round => round.ServerPerUnit) * Scale),
        $"{Number(series.Rounds.Min(round => round.ServerPerUnit) * Scale)} to {Number(series.Rounds.Max(round => round.ServerPerUnit) * Scale)}",
        series.MedianRatioTo(results[0]).ToString("0.00", CultureInfo.InvariantCulture),
        Number(series.Median(round => round.OriginPerUnit) * Scale),
        Number(series.Median(round => round.UnitsPerSecond)),
    ]);

    private static string Number(double value) => value.ToString(value < 10 ? "0.00" : "0", CultureInfo.InvariantCulture);
}
