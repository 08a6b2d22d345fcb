using System.Text.Json;
using CSsl.Cli.Status;
using CSsl.Grains.Cluster;
using Spectre.Console;
using Xunit;

namespace CSsl.Tests.Cli;

public sealed class StatusTableTests
{
    private const string Canned = """
        { "clusterId": "dev", "processes": [
          { "name": "gateway-1", "pid": 101, "kind": "gateway", "roles": [], "state": "Active", "connections": 1234, "sessions": { "asleep": 1200, "hibernated": 5000, "woken": 3800, "moved": 3, "takenOver": 2, "lost": 1 }, "handshakesPerSecond": 12.34, "handshakeQueue": 7, "handshakePace": 79.6, "bytesPerSecond": 1572864, "cpu": 0.5, "residentBytes": 94371840, "startedAt": "2030-01-01T00:00:00Z" },
          { "name": "data-1", "pid": 102, "kind": "silo", "roles": ["Data"], "state": "Silent", "connections": 0, "handshakesPerSecond": 0, "bytesPerSecond": 0, "residentBytes": 0, "startedAt": "2029-12-31T22:30:00Z" },
          { "name": "[x]", "pid": 103, "kind": "silo", "roles": ["Handshake", "Data"], "state": "Draining" },
          { "name": "auto", "pid": 104, "kind": "silo", "roles": ["Data"], "desiredRoles": ["Handshake"], "mode": "Auto", "state": "Active", "drains": true, "trouble": "no [key]" }
        ],
        "decisions": [ { "at": "2030-01-01T00:00:37Z", "silo": "auto", "from": ["Data"], "to": ["Handshake"], "by": "Planner", "reason": "1 handshake silo at 150 %" } ] }
        """;

    [Fact]
    public void Every_process_has_a_row()
    {
        var status = JsonSerializer.Deserialize<ClusterStatus>(Canned, StatusJson.Options)!;
        var lines = Render(StatusTable.Render(status, new DateTimeOffset(2030, 1, 1, 0, 0, 42, TimeSpan.Zero)));
        Assert.Equal(["name", "pid", "kind", "roles", "state", "connections", "asleep", "handshakes/s", "bytes/s", "CPU", "memory", "up"], Cells(lines, "name"));
        Assert.Equal(["gateway-1", "101", "gateway", "", "Active", "1234", "1200", "12.3", "1.5 MiB", "0.50", "90 MiB", "42s"], Cells(lines, "gateway-1"));
        Assert.Equal(["data-1", "102", "silo", "Data", "Silent", "0", "", "0", "0 B", "0.00", "0 B", "1h"], Cells(lines, "data-1"));
        Assert.Equal("Handshake, Data", Cells(lines, "[x]")[3]);
        Assert.Equal(["Data -> Handshake *", "Active -> Draining"], Cells(lines, "auto")[3..5]);
    }

    [Fact]
    public void Data_silos_have_a_row_for_their_engine()
    {
        const string Engines = """
            { "clusterId": "dev", "processes": [
              { "name": "data-1", "pid": 102, "kind": "silo", "roles": ["Data"], "state": "Active",
                "engine": { "name": "ipsec-mb 1.3.0 (AVX512)", "callsPerSecond": 200, "recordsPerSecond": 700, "bytesPerSecond": 819200, "laneFill": 0.875, "queueWait": 0.0000025, "batches": [100, 60, 40, 1] } },
              { "name": "idle", "pid": 103, "kind": "silo", "roles": ["Data"], "state": "Active", "engine": { "name": "managed" } },
              { "name": "handshake-1", "pid": 104, "kind": "silo", "roles": ["Handshake"], "state": "Active", "engine": { "name": "managed" } }
            ] }
            """;
        var lines = Render(EngineTable.Render(JsonSerializer.Deserialize<ClusterStatus>(Engines, StatusJson.Options)!)!);
        Assert.Equal(["name", "record engine", "calls/s", "records/s", "records/call", "bytes/call", "lane fill", "queue wait", "calls by records"], Cells(lines, "name"));
        Assert.Equal(["data-1", "ipsec-mb 1.3.0 (AVX512)", "200", "700", "3.5", "4 KiB", "88%", "2.5 us", "1: 50%  2-3: 30%  4-7: 20%"], Cells(lines, "data-1"));
        Assert.Equal(["idle", "managed", "0", "0", "0.0", "0 B", "", "", ""], Cells(lines, "idle"));
        Assert.DoesNotContain(lines, static line => line.Contains("handshake-1", StringComparison.Ordinal));
        Assert.Null(EngineTable.Render(JsonSerializer.Deserialize<ClusterStatus>(Canned, StatusJson.Options)!));
    }

    [Fact]
    public void Notes_say_what_is_in_trouble_and_why_roles_were_changed()
    {
        var status = JsonSerializer.Deserialize<ClusterStatus>(Canned, StatusJson.Options)!;
        Assert.Equal(
            [
                "connections: 5000 hibernated, 3800 woken, 3 moved, 2 taken over, 1 lost",
                "gateway-1: 7 clients wait for their handshake; all CPU is in use, 80 per second begin",
                "auto: no [key]",
                "5s ago  auto: Data -> Handshake, by the planner: 1 handshake silo at 150 %",
            ],
            StatusTable.Notes(status, new DateTimeOffset(2030, 1, 1, 0, 0, 42, TimeSpan.Zero)));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023.4, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1.25 * 1024 * 1024 * 1024, "1.3 GiB")]
    public void Bytes_have_a_unit(double bytes, string expected) => Assert.Equal(expected, StatusTable.Bytes(bytes));

    private static string[] Render(Table table)
    {
        using var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = 160;
        console.Write(table);
        return writer.ToString().Split('\n');
    }

    private static string[] Cells(string[] lines, string first)
    {
        var line = Assert.Single(lines, line => line.Split('│') is { Length: > 2 } cells && cells[1].Trim() == first);
        return [.. line.Trim('│').Split('│').Select(cell => cell.Trim())];
    }
}
