using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace CSsl.Bench.Load;

/// <summary>Real clients written in C: cheap beside what they measure, and their CPU does not count.</summary>
internal static partial class LoadTool
{
    /// <summary>New connections, one GET each, full handshakes: several `openssl s_time -new` at once.</summary>
    /// <param name="port">Port on 127.0.0.1.</param>
    /// <param name="path">What to get.</param>
    /// <param name="minimumBytes">Bytes of each answer at least: an error page would be a cheap one.</param>
    /// <param name="clients">Processes at once.</param>
    /// <param name="seconds">For so long.</param>
    /// <returns>The number of connections.</returns>
    /// <exception cref="BenchException">One of them failed.</exception>
    public static async Task<int> ConnectAsync(int port, string path, int minimumBytes, int clients, int seconds)
    {
        string[] outputs = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => RunAsync(
            "openssl",
            ["s_time", "-connect", $"127.0.0.1:{port}", "-new", "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-time", $"{seconds}", "-www", path])));
        return outputs.Sum(output => Count(output, minimumBytes));
    }

    /// <summary>GETs over connections that are kept: h2load.</summary>
    /// <exception cref="BenchException">Not every request succeeded.</exception>
    public static async Task DownloadAsync(int port, string path, int clients, int requests)
    {
        string output = await RunAsync("h2load",
            ["--h1", "--tls13-ciphers=TLS_AES_128_GCM_SHA256", $"-c{clients}", $"-n{requests}", $"https://localhost:{port}{path}"]);
        if (!output.Contains($"{requests} succeeded, 0 failed", StringComparison.Ordinal))
            throw new BenchException($"h2load said:\n{output}");
    }

    private static int Count(string output, int minimumBytes)
    {
        Match match = Summary().Match(output);
        if (!match.Success)
            throw new BenchException($"openssl s_time said:\n{output}");
        int bytes = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        return bytes >= minimumBytes
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new BenchException($"the server answers with {bytes} bytes instead of {minimumBytes} or more");
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
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
            throw new BenchException($"{program} is not installed (apt-get install openssl nghttp2-client)");
        }
    }

    // "2486 connections in 3 real seconds, 1239 bytes read per connection"
    [GeneratedRegex(@"(\d+) connections in \d+ real seconds, (\d+) bytes read per connection")]
    private static partial Regex Summary();
}
