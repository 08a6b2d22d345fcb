using System.CommandLine;
using CSsl.Cli.Operations;
using CSsl.Cli.Status;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Commands;

/// <summary>What the commands have in common that tell a silo what to do.</summary>
internal static class OperatorCommand
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    public static Argument<string> Silo() => new("silo") { Description = "The silo's name (cssl status shows them)." };

    public static Option<bool> Force() => new("--force") { Description = "Also when no silo of a role would be left to serve clients." };

    public static Option<bool> Wait(string until) => new("--wait") { Description = $"Return when {until}." };

    /// <summary>How long <c>--wait</c> waits.</summary>
    public static Option<TimeSpan> Timeout() => new("--timeout")
    {
        Description = "How long to wait, such as 30s or 5m; then the exit code is 1.",
        HelpName = "TIME",
        DefaultValueFactory = _ => DefaultTimeout,
        CustomParser = static result =>
        {
            if (SettingValue.TryParseTime(result.Tokens[0].Value, out var time))
                return time;
            result.AddError($"'{result.Tokens[0].Value}' is not a time such as 30s, 500ms or 5m.");
            return default;
        },
    };

    /// <summary>Runs one that says what it did, and reports what goes wrong in one line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static Task<int> RunAsync(ClusterTarget target, ParseResult result, Func<OperatorClient, Task<string>> act) => RunAsync(async () =>
    {
        using var client = new OperatorClient(target.Admin(result));
        Console.WriteLine(await act(client));
        return ExitCodes.Success;
    });

    /// <inheritdoc cref="RunAsync(ClusterTarget, ParseResult, Func{OperatorClient, Task{string}})"/>
    public static async Task<int> RunAsync(Func<Task<int>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception e) when (e is OrderException or StatusException)
        {
            await Console.Error.WriteLineAsync($"cssl: {e.Message}");
            return e is OrderException order ? order.ExitCode : ExitCodes.Failure;
        }
    }
}
