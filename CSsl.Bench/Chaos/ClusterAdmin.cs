using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using CSsl.Grains.Cluster;

namespace CSsl.Bench.Chaos;

/// <summary>What a gateway's admin endpoint tells.</summary>
internal sealed class ClusterAdmin(int port) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

    /// <summary>Data silos that take sessions now.</summary>
    public async Task<IReadOnlyList<ProcessStatus>> DataSilosAsync() => [.. (await ProcessesAsync()).Where(static process => process.Kind == "silo" && process.Roles.Contains(nameof(SiloRoles.Data)) && process.State == nameof(SiloState.Active))];

    /// <summary>All processes of the cluster.</summary>
    public async Task<IReadOnlyList<ProcessStatus>> ProcessesAsync()
        => (await StatusAsync()).Processes;

    /// <summary>As the gateway's view has it.</summary>
    public async Task<ClusterStatus> StatusAsync() => (await _http.GetFromJsonAsync<ClusterStatus>(new Uri("/status", UriKind.Relative), JsonSerializerOptions.Web))!;

    /// <summary>Metrics by name; those with labels are added up, of histograms there are the buckets (name_bucket|le), sum and count.</summary>
    public async Task<IReadOnlyDictionary<string, double>> MetricsAsync()
    {
        var metrics = new Dictionary<string, double>();
        foreach (string line in (await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n'))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            int space = line.LastIndexOf(' ');
            string name = line[..space];
            int label = name.IndexOf('{', StringComparison.Ordinal);
            if (label >= 0)
                name = name[..label];
            metrics[name] = metrics.GetValueOrDefault(name) + double.Parse(line[(space + 1)..], CultureInfo.InvariantCulture);
        }

        return metrics;
    }

    /// <summary>Milliseconds that the cluster needs for a list of its sessions.</summary>
    public async Task<double> ListSessionsAsync()
    {
        long start = Stopwatch.GetTimestamp();
        await _http.GetByteArrayAsync(new Uri("/sessions?top=bytes", UriKind.Relative));
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public void Dispose() => _http.Dispose();
}
