using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using CSsl.Cli.Status;
using CSsl.Grains.Aggregation;
using CSsl.Hosting;

namespace CSsl.Cli.Operations;

/// <summary>Asks the data silos about their record engines, through a gateway's admin endpoint.</summary>
internal sealed class EngineClient(string admin) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{admin}"), Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>What they are and have done.</summary>
    /// <param name="silo">One of them; null: all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OrderException">There is no such silo.</exception>
    /// <exception cref="StatusException">Nothing answers there, or something else.</exception>
    public Task<IReadOnlyList<SiloEngine>> ShowAsync(string? silo, CancellationToken cancellationToken)
        => AskAsync(silo is null ? "/engines" : $"/engines?silo={Uri.EscapeDataString(silo)}", path => _http.GetAsync(path, cancellationToken), cancellationToken);

    /// <summary>Changes settings.</summary>
    /// <returns>What they are now.</returns>
    /// <inheritdoc cref="ShowAsync"/>
    public async Task<IReadOnlyList<SiloEngine>> ChangeAsync(string? silo, AggregationChange change, CancellationToken cancellationToken)
    {
        // With its length: the endpoint takes no body of unknown size.
        var request = new EngineRequest { Silo = silo, RecordsPerCall = change.RecordsPerCall, MaxDelay = change.MaxDelay };
        using var body = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, StatusJson.Options));
        body.Headers.ContentType = new("application/json");
        return await AskAsync("/engines/settings", path => _http.PostAsync(path, body, cancellationToken), cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<IReadOnlyList<SiloEngine>> AskAsync(string path, Func<string, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await send(path);
            var answer = await response.Content.ReadFromJsonAsync<EngineResponse>(StatusJson.Options, cancellationToken) ?? throw new JsonException("null");
            if (answer.Error is { } error)
                throw new OrderException(error, response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest ? ExitCodes.BadConfiguration : ExitCodes.Failure);
            return answer.Engines;
        }
        catch (HttpRequestException e)
        {
            throw new StatusException($"nothing answers at http://{admin}/engines: is the cluster up? (cssl up; --admin if it is elsewhere)", e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StatusException($"http://{admin}/engines did not answer within {_http.Timeout.TotalSeconds:0} s", e);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new StatusException($"what answers at http://{admin}/engines is not a C-SSL gateway, or takes no settings from here: {e.Message}", e);
        }
    }
}
