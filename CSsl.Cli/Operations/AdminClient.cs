using System.Net;
using System.Text.Json;
using CSsl.Cli.Status;
using CSsl.Hosting;

namespace CSsl.Cli.Operations;

/// <summary>One request to a gateway's admin endpoint, and in one line why there is no answer.</summary>
internal sealed class AdminClient(string admin, TimeSpan timeout) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{admin}"), Timeout = timeout };

    /// <summary>Asks.</summary>
    /// <param name="method">GET, or POST with a body.</param>
    /// <param name="path">The page, and its query.</param>
    /// <param name="json">The body; null: none.</param>
    /// <param name="read">Makes of the response what the caller wants; what it throws for JSON that is not so becomes a <see cref="StatusException"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="StatusException">Nothing answers there, or something else.</exception>
    public async Task<T> AskAsync<T>(HttpMethod method, string path, byte[]? json, Func<HttpResponseMessage, Task<T>> read, CancellationToken cancellationToken)
    {
        var page = $"http://{admin}{path.Split('?')[0]}";
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (json is not null)
            {
                // With its length: the endpoint takes no body of unknown size.
                request.Content = new ByteArrayContent(json);
                request.Content.Headers.ContentType = new("application/json");
            }

            using var response = await _http.SendAsync(request, cancellationToken);
            return await read(response);
        }
        catch (HttpRequestException e)
        {
            throw new StatusException($"nothing answers at {page}: is the cluster up? (cssl up; --admin if it is elsewhere)", e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StatusException($"{page} did not answer within {timeout.TotalSeconds:0} s", e);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new StatusException($"what answers at {page} is not a C-SSL gateway, or does not take orders from here: {e.Message}", e);
        }
    }

    /// <summary>What the endpoint refused, and the exit code that says whose fault it is.</summary>
    public static OrderException Refused(string error, HttpStatusCode status)
        => new(error, status is HttpStatusCode.NotFound or HttpStatusCode.BadRequest ? ExitCodes.BadConfiguration : ExitCodes.Failure);

    public void Dispose() => _http.Dispose();
}
