using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Cli;

public sealed class OriginCommandTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Origin_stops_when_the_input_of_a_watched_one_ends()
    {
        await using var origin = Cssl.Start(["origin", "--port", "0", "--WatchParent=true"]);
        await origin.Output.WaitForAsync("listening http://127.0.0.1:", Deadline);
        origin.CloseInput();
        Assert.Equal(0, (await origin.ExitAsync()).ExitCode);
    }

    [Fact]
    public async Task Watched_process_leaves_the_terminals_interrupt_to_its_parent()
    {
        await using var origin = Cssl.Start(["origin", "--port", "0", "--WatchParent=true"]);
        await origin.Output.WaitForAsync("listening http://127.0.0.1:", Deadline);
        ProcFs.Signal(origin.Id, ProcFs.SigInt);
        origin.CloseInput();
        var result = await origin.ExitAsync();
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("standard input ended: stopping", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ProcFs.SigTerm)]
    [InlineData(ProcFs.SigInt)]
    public async Task Origin_stops_on_a_signal(int signal)
    {
        // Tests that were started in the background of a script ignore SIGINT, and so would what they start.
        await using var origin = Tool.Start("env", ["--default-signal=INT", "dotnet", Repository.Program("CSsl.Cli"), "origin", "--port", "0"]);
        await origin.Output.WaitForAsync("listening http://127.0.0.1:", Deadline);
        ProcFs.Signal(origin.Id, signal);
        Assert.Equal(0, (await origin.ExitAsync()).ExitCode);
    }
}
