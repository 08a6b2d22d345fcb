using System.Diagnostics;

namespace CSsl.Bench.Scaling;

/// <summary>Clients that download without end, each on one connection: curl, whose bytes are only counted.</summary>
internal sealed class EndlessDownloads : IAsyncDisposable
{
    private const long ObjectBytes = 1L << 40;

    private readonly List<Process> _curls = [];
    private readonly List<Task> _readers = [];
    private long _bytes;

    public static async Task<EndlessDownloads> StartAsync(int port, int count)
    {
        var downloads = new EndlessDownloads();
        for (int i = 0; i < count; i++)
        {
            Process curl = Process.Start(new ProcessStartInfo("curl", ["-sSk", "--http1.1", "--tlsv1.3", $"https://127.0.0.1:{port}/bytes/{ObjectBytes}"]) { RedirectStandardOutput = true })
                ?? throw new BenchException("curl does not start");
            downloads._curls.Add(curl);
            downloads._readers.Add(downloads.CountAsync(curl.StandardOutput.BaseStream));
        }

        // All of them are established before anything is measured.
        await Task.Delay(TimeSpan.FromSeconds(1));
        if (downloads._curls.Exists(static curl => curl.HasExited))
            throw new BenchException("a download ended at once");
        return downloads;
    }

    /// <summary>10^6 bytes per second over all, measured for so long.</summary>
    public async Task<double> RateAsync(TimeSpan time)
    {
        long before = Volatile.Read(ref _bytes);
        long start = Stopwatch.GetTimestamp();
        await Task.Delay(time);
        return (Volatile.Read(ref _bytes) - before) / 1e6 / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process curl in _curls)
        {
            curl.Kill();
            await curl.WaitForExitAsync();
        }

        await Task.WhenAll(_readers);
        _curls.ForEach(static curl => curl.Dispose());
    }

    private async Task CountAsync(Stream body)
    {
        byte[] buffer = new byte[256 * 1024];
        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
            Interlocked.Add(ref _bytes, read);
    }
}
