using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using CSsl.Cli.Operations;
using CSsl.Cli.Status;
using CSsl.Grains.Aggregation;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using Spectre.Console;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl engine</c>: how the data silos put records together for their record engines.</summary>
internal static class EngineCommand
{
    public static Command Create()
    {
        var silo = new Option<string?>("--silo") { Description = "One silo. Default: all that can have the data role.", HelpName = "NAME" };
        var records = new Option<int?>("--records-per-call")
        {
            Description = "The most records that one engine call seals or opens; 1 gives every record a call of its own.",
            HelpName = "N",
            CustomParser = static result =>
            {
                int? number = int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
                Check(result, number is null ? $"'{result.Tokens[0].Value}' is not a number" : ToChange(number, null).Problem());
                return number;
            },
        };
        var delay = new Option<TimeSpan?>("--max-delay")
        {
            Description = "How long a call that would leave lanes of the engine empty waits for more records, such as 0s or 0.1ms; at most 10ms.",
            HelpName = "TIME",
            CustomParser = static result =>
            {
                TimeSpan? time = SettingValue.TryParseTime(result.Tokens[0].Value, out var parsed) ? parsed : null;
                Check(result, time is null ? $"'{result.Tokens[0].Value}' is not a time such as 0s, 0.1ms or 2ms" : ToChange(null, time).Problem());
                return time;
            },
        };
        var json = new Option<bool>("--json") { Description = "Print JSON instead of a table." };
        var target = new ClusterTarget();
        var command = new Command("engine", """
            Shows the record engine of each silo that can have the data role, how records are put together for it, and what it has done since the silo started.
            --records-per-call and --max-delay change that while it serves, until the silo is started again.
            """)
        {
            silo, records, delay, json,
        };
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => OperatorCommand.RunAsync(async () =>
        {
            using var client = new EngineClient(target.Admin(result));
            return await RunAsync(client, result.GetValue(silo), ToChange(result.GetValue(records), result.GetValue(delay)), result.GetValue(json), cancellationToken);
        }));
        return command;
    }

    private static void Check(ArgumentResult result, string? problem)
    {
        if (problem is not null)
            result.AddError($"{problem}.");
    }

    private static AggregationChange ToChange(int? records, TimeSpan? delay) => new() { RecordsPerCall = records, MaxDelay = delay };

    private static async Task<int> RunAsync(EngineClient client, string? silo, AggregationChange change, bool asJson, CancellationToken cancellationToken)
    {
        var engines = change == new AggregationChange() ? await client.ShowAsync(silo, cancellationToken) : await client.ChangeAsync(silo, change, cancellationToken);
        if (asJson)
            Console.WriteLine(JsonSerializer.Serialize(engines, StatusJson.Options));
        else
            StatusCommand.Screen().Write(Render(engines));
        foreach (var engine in engines.Where(static engine => engine.Error is not null))
            await Console.Error.WriteLineAsync($"cssl: {engine.Silo}: {engine.Error}");
        return engines.All(static engine => engine.Error is null) ? ExitCodes.Success : ExitCodes.Failure;
    }

    /// <summary>One row per silo that answered.</summary>
    internal static Table Render(IEnumerable<SiloEngine> engines)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var heading in (string[])["name", "record engine"])
            table.AddColumn(new TableColumn(heading).NoWrap());
        foreach (var heading in (string[])["lanes", "records per call", "max delay", "calls", "records", "bytes", "failures"])
            table.AddColumn(new TableColumn(heading).NoWrap().RightAligned());
        table.AddColumn(new TableColumn("calls by records").NoWrap());
        foreach (var engine in engines)
        {
            if (engine.Status is not { } status)
                continue;
            table.AddRow(
                Markup.Escape(engine.Silo),
                Markup.Escape(status.Engine),
                Number(status.Lanes),
                $"<= {Number(status.RecordsPerCall)}",
                string.Create(CultureInfo.InvariantCulture, $"{status.MaxDelay.TotalMilliseconds:0.####} ms"),
                Number(status.Calls),
                Number(status.Records),
                StatusTable.Bytes(status.Bytes),
                Number(status.Failures),
                EngineTable.Sizes(status.Batches));
        }

        return table;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
