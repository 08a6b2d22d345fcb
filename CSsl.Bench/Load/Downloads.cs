using System.Diagnostics;

namespace CSsl.Bench.Load;

/// <summary>A real client written in C: cheap beside what they measure, and their CPU does not count.</summary>
internal static class Downloads
{
    /// <summary>GETs over connections that are kept: h2load.</summary>
    /// <exception cref="BenchException">Not every request succeeded.</exception>
    public static async Task RunAsync(int port, string path, int clients, int requests)
    {
        string output = await ToolAsync("h2load", ["--h1", "--tls13-ciphers=TLS_AES_128_GCM_SHA256", $"-c{clients}", $"-n{requests}", $"https://localhost:{port}{path}"]);
        if (!output.Contains($"{requests} succeeded, 0 failed", StringComparison.Ordinal) || !output.Contains($"status codes: {requests} 2xx", StringComparison.Ordinal))
            throw new BenchException($"h2load said:\n{output}");
    }

    private static async Task<string> ToolAsync(string program, string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync() + await error;
            await process.WaitForExitAsync();
            return process.ExitCode == 0 ? output : throw new BenchException($"{program} {string.Join(' ', arguments)} failed:\n{output}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new BenchException($"{program} is not installed (apt-get install nghttp2-client)");
        }
    }
}
