using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using CSsl.Cli.Operations;
using CSsl.Cli.Status;
using CSsl.Grains.Data;
using CSsl.Hosting;

namespace CSsl.Cli.Sessions;

/// <summary>Asks a gateway's admin endpoint for sessions of the cluster, and has it end or move one.</summary>
internal sealed class SessionClient(string admin) : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly AdminClient _admin = new(admin, TimeSpan.FromSeconds(15));

    /// <summary>As the endpoint writes it, and as <c>--json</c> shows it.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };

    /// <summary>The sessions that a query asks for.</summary>
    /// <exception cref="OrderException">The query is refused: says why.</exception>
    /// <exception cref="StatusException">Nothing answers there, or something else.</exception>
    public Task<SessionList> ListAsync(SessionQuery query, CancellationToken cancellationToken)
    {
        string?[] parts =
        [
            Part("silo", query.Silo), Part("client", query.Client), Part("name", query.ServerName),
            Part("top", query.Order == SessionOrder.Bytes ? "bytes" : "age"), Part("limit", query.Limit.ToString(CultureInfo.InvariantCulture)),
        ];
        return AskAsync<SessionList>(HttpMethod.Get, "/sessions?" + string.Join('&', parts.OfType<string>()), body: null, cancellationToken);
    }

    /// <summary>A session; null when no gateway that answered has it.</summary>
    /// <inheritdoc cref="ListAsync"/>
    public async Task<SessionInfo?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        var list = await AskAsync<SessionList>(HttpMethod.Get, $"/session?id={id}", body: null, cancellationToken);
        if (list.Sessions.Count == 0 && list.Silent.Count > 0)
            throw new OrderException($"there is no session {id}; {string.Join(", ", list.Silent)} did not answer", ExitCodes.Failure);
        return list.Sessions.Count > 0 ? list.Sessions[0] : null;
    }

    /// <summary>Ends a session.</summary>
    /// <inheritdoc cref="ListAsync"/>
    public Task EndAsync(Guid id, CancellationToken cancellationToken) => OrderAsync("/session/end", new SessionRequest { Id = id }, cancellationToken);

    /// <summary>Moves a session.</summary>
    /// <inheritdoc cref="ListAsync"/>
    public Task<SessionMove> MoveAsync(Guid id, string silo, CancellationToken cancellationToken) => OrderAsync("/session/move", new SessionRequest { Id = id, To = silo }, cancellationToken);

    /// <summary>Waits until a session is as it should be.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="isDone">Called with the session; null when there is none.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OrderException">It did not get there in time.</exception>
    /// <exception cref="StatusException">The gateway does not answer.</exception>
    public async Task WaitAsync(Guid id, Func<SessionInfo?, bool> isDone, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var deadline = DateTimeOffset.UtcNow + timeout;
        while (true)
        {
            var session = await FindAsync(id, cancellationToken);
            if (isDone(session))
                return;
            if (DateTimeOffset.UtcNow > deadline)
                throw new OrderException($"not done within {timeout.TotalSeconds:0.#} s: session {id} is {(session is null ? "gone" : session.Silo is { } silo ? $"at {silo}" : session.State.ToString().ToLowerInvariant())}", ExitCodes.Failure);
            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    public void Dispose() => _admin.Dispose();

    private static string? Part(string name, string? value) => value is null ? null : $"{name}={Uri.EscapeDataString(value)}";

    private async Task<SessionMove> OrderAsync(string path, SessionRequest request, CancellationToken cancellationToken)
        => (await AskAsync<SessionResponse>(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(request, Json), cancellationToken)).Outcome;

    private Task<T> AskAsync<T>(HttpMethod method, string path, byte[]? body, CancellationToken cancellationToken)
        => _admin.AskAsync(method, path, body, async response =>
        {
            if (!response.IsSuccessStatusCode && (typeof(T) == typeof(SessionResponse) || response.StatusCode != HttpStatusCode.NotFound))
            {
                var refusal = await response.Content.ReadFromJsonAsync<SessionResponse>(Json, cancellationToken);
                throw AdminClient.Refused(refusal?.Error ?? throw new JsonException("no reason"), response.StatusCode);
            }

            return await response.Content.ReadFromJsonAsync<T>(Json, cancellationToken) ?? throw new JsonException("null");
        }, cancellationToken);
}
