using System.Globalization;
using System.Text;
using CSsl.Bench.Reports;
using Spectre.Console;

namespace CSsl.Bench.Engines;

/// <summary>The result: a table on the terminal; a page of Markdown with a plot.</summary>
internal sealed record EngineReport(string EngineName, string[] Contestants, IReadOnlyList<EngineResult> Results, int Rounds, int Milliseconds, (double Direct, double Aggregated) Alone)
{
    private const int ManagedOneByOne = 0, IpsecOneByOne = 2, IpsecBatched = 3;
    private const int WidthWithoutTerminal = 180;

    private string[] Headings => ["bytes", "connections", .. Contestants, "openssl speed", "ipsec-mb batched, records/s", "÷ managed", "÷ one by one"];

    public void Print()
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = WidthWithoutTerminal;
        foreach (var suite in Results.GroupBy(result => result.Suite))
        {
            var table = new Table { Border = TableBorder.Rounded, Title = new TableTitle(Markup.Escape(suite.Key.Name)) };
            foreach (string heading in Headings)
                table.AddColumn(new TableColumn(Markup.Escape(heading)).RightAligned());
            foreach (EngineResult result in suite)
                table.AddRow([.. Row(result).Select(Markup.Escape)]);
            AnsiConsole.Write(table);
        }

        Console.WriteLine(OneConnection);
    }

    private string OneConnection => string.Create(
        CultureInfo.InvariantCulture,
        $"One connection alone: a record of 1,024 bytes takes {Alone.Direct:0} ns when it is given to the engine, {Alone.Aggregated:0} ns through a silo's aggregator: {Alone.Aggregated - Alone.Direct:0} ns more.");

    /// <summary>Writes engines.md and engines.svg.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "engines.svg"), new EnginePlot([.. Contestants, "openssl speed"], Results).ToSvg());

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Records per second on one core

            `dotnet run --project CSsl.Bench -c Release -- engines --output docs/bench` writes this page. How many records one core seals, all of it: sequence number, header, nonce or IV, the
            cipher, the tag or MAC; the plaintext lies where it is sent from. In 10^9 bytes of plaintext per second of CPU time, so that other work on the machine counts as little as possible.

            *One by one* is an engine call for each record. *Batched* is one engine call for all that wait: a record of each of 64 connections, two of each of 8, or 16 of one.
            CBC records that are alone in a call go through .NET's ciphers in either engine: a lane without company is slower.
            `openssl speed` seals blocks of the same size with `-aead`, without records around them; for the CBC suites the times of `aes-…-cbc` and of the HMAC are added, since OpenSSL does one
            after the other.

            """);
        text.Append('\n');
        foreach (string line in Machine.Describe())
            text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        text.Append(CultureInfo.InvariantCulture, $"- Engine: {EngineName}\n");
        text.Append(CultureInfo.InvariantCulture, $"- Rounds: {Rounds} of {Milliseconds} ms, every contestant once in each, pinned to one core; medians, of ratios too\n\n");
        text.Append("![Bytes per second by record size](engines.svg)\n");
        foreach (var suite in Results.GroupBy(result => result.Suite))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {suite.Key.Name}\n\n");
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", Headings)} |\n|{string.Concat(Enumerable.Repeat("---:|", Headings.Length))}\n");
            foreach (EngineResult result in suite)
                text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", Row(result))} |\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\n## What aggregation costs who needs none\n\n{OneConnection}\n");
        File.WriteAllText(Path.Combine(folder, "engines.md"), text.ToString());
    }

    private IEnumerable<string> Row(EngineResult result) =>
    [
        result.Load.Size.ToString(CultureInfo.InvariantCulture),
        result.Load.Connections.ToString(CultureInfo.InvariantCulture),
        .. Contestants.Select((_, i) => Number(result.GigabytesPerSecond(i))),
        result.OpenSsl > 0 ? Number(result.OpenSsl / 1e9) : "",
        Millions(result.RecordsPerSecond(IpsecBatched)),
        Number(result.Ratio(IpsecBatched, ManagedOneByOne)),
        Number(result.Ratio(IpsecBatched, IpsecOneByOne)),
    ];

    private static string Number(double value) => value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    private static string Millions(double value) => (value / 1e6).ToString("0.00", CultureInfo.InvariantCulture) + " M";
}
