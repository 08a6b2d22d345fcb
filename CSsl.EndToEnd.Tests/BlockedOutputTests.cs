using System.Diagnostics;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Standard output is a pipe that nobody reads.</summary>
[Collection(OwnCluster.Name)]
public sealed class BlockedOutputTests
{
    [Fact]
    public async Task Clients_are_served_and_the_lines_that_are_lost_are_counted()
    {
        using var state = new TempDirectory();
        int[] ports = Ports.Free(2);
        using Process process = Process.Start(new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Repository.Assembly("CSsl.Cli"), "serve", "--https", $"{ports[0]}", "--admin", $"{ports[1]}", "--state", state.Path,
                "--Logging:LogLevel:Default=Trace", "--Logging:LogLevel:Microsoft=Trace",
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!;
        try
        {
            using var admin = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ports[1]}/"), Timeout = TimeSpan.FromSeconds(20) };
            await Eventually.TrueAsync(async () => await IsReadyAsync(admin), "it is ready", TimeSpan.FromSeconds(90));
            while (await DroppedAsync(admin) == 0)
                await ServedAsync(ports[0], state, 20);

            // It has been full for a while: nothing waits for it.
            await ServedAsync(ports[0], state, 20);
            ProcFs.Signal(process.Id, ProcFs.SigTerm);
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static async Task ServedAsync(int port, TempDirectory state, int requests)
        => (await Tool.RunAsync("curl", ["-sSf", "--cacert", state.File("ca.crt"), "-o", "/dev/null", $"https://localhost:{port}/bytes/[1-{requests}]"])).Succeeded();

    private static async Task<bool> IsReadyAsync(HttpClient admin)
    {
        try
        {
            return (await admin.GetAsync("readyz")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // it does not listen yet
        }
    }

    private static async Task<long> DroppedAsync(HttpClient admin)
    {
        string page = await admin.GetStringAsync("metrics");
        string sample = page.Split('\n').Single(static line => line.StartsWith("cssl_log_dropped_total ", StringComparison.Ordinal));
        return long.Parse(sample.AsSpan(sample.LastIndexOf(' ') + 1), System.Globalization.CultureInfo.InvariantCulture);
    }
}
