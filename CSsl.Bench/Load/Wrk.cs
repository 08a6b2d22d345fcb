using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace CSsl.Bench.Load;

/// <summary>wrk: GETs over connections that are kept, as fast as they are answered, for some seconds.</summary>
internal sealed partial class Wrk(string folder)
{
    /// <param name="port">HTTPS port on localhost.</param>
    /// <param name="path">What is fetched.</param>
    /// <param name="suite">OpenSSL's name of the only TLS 1.2 suite that is offered; null for TLS 1.3.</param>
    /// <param name="clients">Connections.</param>
    /// <param name="seconds">How long.</param>
    /// <returns>Requests that were answered with 2xx.</returns>
    /// <exception cref="BenchException">One wasn't.</exception>
    public async Task<long> RunAsync(int port, string path, string? suite, int clients, int seconds)
    {
        var start = new ProcessStartInfo("wrk", ["-t1", $"-c{clients}", $"-d{seconds}s", "--timeout", "20s", $"https://localhost:{port}{path}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OPENSSL_CONF"] = await WriteSettingsAsync(suite);
        string output = await RunAsync(start);
        Match requests = Requests().Match(output);
        if (!requests.Success || output.Contains("Socket errors", StringComparison.Ordinal) || output.Contains("Non-2xx", StringComparison.Ordinal))
            throw new BenchException($"wrk said:\n{output}");
        return long.Parse(requests.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private static async Task<string> RunAsync(ProcessStartInfo start)
    {
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = await process.StandardOutput.ReadToEndAsync() + await error;
            await process.WaitForExitAsync();
            return output;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new BenchException("wrk is not installed (apt-get install wrk)");
        }
    }

    // wrk has no option for it, but its OpenSSL reads a file.
    private async Task<string> WriteSettingsAsync(string? suite)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{suite ?? "tls13"}.cnf");
        string version = suite is null ? "MinProtocol = TLSv1.3\nCiphersuites = TLS_AES_128_GCM_SHA256" : $"MaxProtocol = TLSv1.2\nCipherString = {suite}";
        await File.WriteAllTextAsync(path, $"openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\n{version}\n");
        return path;
    }

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Requests();
}
