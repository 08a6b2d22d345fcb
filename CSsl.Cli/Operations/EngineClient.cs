using System.Net.Http.Json;
using System.Text.Json;
using CSsl.Cli.Status;
using CSsl.Grains.Aggregation;

namespace CSsl.Cli.Operations;

/// <summary>Asks the data silos about their record engines, through a gateway's admin endpoint.</summary>
internal sealed class EngineClient(string admin) : IDisposable
{
    private readonly AdminClient _admin = new(admin, TimeSpan.FromSeconds(10));

    /// <summary>What they are and have done.</summary>
    /// <param name="silo">One of them; null: all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OrderException">There is no such silo.</exception>
    /// <exception cref="StatusException">Nothing answers there, or something else.</exception>
    public Task<IReadOnlyList<SiloEngine>> ShowAsync(string? silo, CancellationToken cancellationToken)
        => AskAsync(HttpMethod.Get, silo is null ? "/engines" : $"/engines?silo={Uri.EscapeDataString(silo)}", json: null, cancellationToken);

    /// <summary>Changes settings.</summary>
    /// <returns>What they are now.</returns>
    /// <inheritdoc cref="ShowAsync"/>
    public Task<IReadOnlyList<SiloEngine>> ChangeAsync(string? silo, AggregationChange change, CancellationToken cancellationToken)
    {
        var request = new EngineRequest { Silo = silo, RecordsPerCall = change.RecordsPerCall, MaxDelay = change.MaxDelay };
        return AskAsync(HttpMethod.Post, "/engines/settings", JsonSerializer.SerializeToUtf8Bytes(request, StatusJson.Options), cancellationToken);
    }

    public void Dispose() => _admin.Dispose();

    private Task<IReadOnlyList<SiloEngine>> AskAsync(HttpMethod method, string path, byte[]? json, CancellationToken cancellationToken)
        => _admin.AskAsync(method, path, json, async response =>
        {
            var answer = await response.Content.ReadFromJsonAsync<EngineResponse>(StatusJson.Options, cancellationToken) ?? throw new JsonException("null");
            return answer.Error is { } error ? throw AdminClient.Refused(error, response.StatusCode) : answer.Engines;
        }, cancellationToken);
}
