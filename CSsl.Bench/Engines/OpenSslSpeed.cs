using System.Diagnostics;
using System.Globalization;

namespace CSsl.Bench.Engines;

/// <summary><c>openssl speed</c>, on the core of the thread that asks.</summary>
internal static class OpenSslSpeed
{
    /// <summary>Bytes per second of one algorithm after the other, in blocks of a size.</summary>
    public static double Measure(IEnumerable<string> algorithms, int size)
        => 1 / algorithms.Sum(algorithm => 1 / Measure(algorithm, size));

    // +F:25:AES-256-CBC:1125059490.91
    private static double Measure(string algorithm, int size)
    {
        var start = new ProcessStartInfo("openssl", $"speed {algorithm} -bytes {size} -seconds 1 -mr") { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new BenchException("openssl did not start");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string? line = output.Split('\n').LastOrDefault(text => text.StartsWith("+F:", StringComparison.Ordinal));
        return line is not null && double.TryParse(line.Split(':')[^1], CultureInfo.InvariantCulture, out double rate)
            ? rate
            : throw new BenchException($"openssl {start.Arguments} says nothing of use");
    }
}
