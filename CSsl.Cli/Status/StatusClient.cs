using System.Net.Http.Json;
using System.Text.Json;
using CSsl.Grains.Cluster;

namespace CSsl.Cli.Status;

/// <summary>Asks a gateway's admin endpoint.</summary>
internal sealed class StatusClient(string admin) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{admin}"), Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>The cluster's processes.</summary>
    /// <exception cref="StatusException">Nothing answers there, or something else.</exception>
    public async Task<ClusterStatus> GetAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _http.GetFromJsonAsync<ClusterStatus>("/status", StatusJson.Options, cancellationToken) ?? throw new JsonException("null");
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            throw new StatusException($"nothing answers at http://{admin}/status: is the cluster up? (cssl up; --admin if it is elsewhere)", e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StatusException($"http://{admin}/status did not answer within {_http.Timeout.TotalSeconds:0} s", e);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or NotSupportedException)
        {
            throw new StatusException($"what answers at http://{admin}/status is not a C-SSL gateway: {e.Message}", e);
        }
    }

    /// <summary>The socket of the <c>cssl up</c> above the gateway; null when there is none.</summary>
    /// <exception cref="StatusException">Nothing answers there, or something else.</exception>
    public async Task<string?> GetSupervisorAsync(CancellationToken cancellationToken)
    {
        try
        {
            var path = (await _http.GetStringAsync("/supervisor", cancellationToken)).Trim();
            return path.Length > 0 ? path : null;
        }
        catch (HttpRequestException e)
        {
            throw new StatusException(e.StatusCode is null
                ? $"nothing answers at http://{admin}/supervisor: is the cluster up? (cssl up; --admin if it is elsewhere)"
                : $"what answers at http://{admin}/supervisor is not a C-SSL gateway: {e.Message}", e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StatusException($"http://{admin}/supervisor did not answer within {_http.Timeout.TotalSeconds:0} s", e);
        }
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>No status to be had: says why.</summary>
internal sealed class StatusException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>How a status is written as JSON.</summary>
internal static class StatusJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true };
}
