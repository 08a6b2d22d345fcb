using System.Net.Http.Json;
using System.Text.Json;
using CSsl.Cli.Status;
using CSsl.Grains.Cluster;
using CSsl.Hosting;

namespace CSsl.Cli.Operations;

/// <summary>Gives orders through a gateway's admin endpoint, and waits until they are carried out.</summary>
internal sealed class OperatorClient(string admin) : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly StatusClient _status = new(admin);
    private readonly AdminClient _admin = new(admin, TimeSpan.FromSeconds(10));

    /// <summary>Gives an order.</summary>
    /// <returns>Its number: the silo acts on it once it reports that one.</returns>
    /// <exception cref="OrderException">It was not taken: says why.</exception>
    /// <exception cref="StatusException">Nothing answers there, or something else.</exception>
    public Task<long> OrderAsync(OrderRequest order, CancellationToken cancellationToken)
        => _admin.AskAsync(HttpMethod.Post, "/orders", JsonSerializer.SerializeToUtf8Bytes(order, StatusJson.Options), async response =>
        {
            var answer = await response.Content.ReadFromJsonAsync<OrderResponse>(StatusJson.Options, cancellationToken) ?? throw new JsonException("null");
            return answer.Error is { } error ? throw AdminClient.Refused(error, response.StatusCode) : answer.Version;
        }, cancellationToken);

    /// <summary>Waits until a silo is as it should be.</summary>
    /// <param name="silo">Its name.</param>
    /// <param name="isDone">Called with its line of the status; null when it is not in the cluster.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What it came to.</returns>
    /// <exception cref="OrderException">It did not get there in time, or says that it can't.</exception>
    /// <exception cref="StatusException">The gateway does not answer.</exception>
    public async Task<ProcessStatus?> WaitAsync(string silo, Func<ProcessStatus?, bool> isDone, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var deadline = DateTimeOffset.UtcNow + timeout;
        while (true)
        {
            var status = await _status.GetAsync(cancellationToken);
            var process = status.Processes.FirstOrDefault(process => process.Name == silo && process.Kind == "silo");
            if (isDone(process))
                return process;
            if (process?.Trouble is { } trouble)
                throw new OrderException($"{silo}: {trouble}", ExitCodes.Failure);
            if (DateTimeOffset.UtcNow > deadline)
                throw new OrderException($"not done within {timeout.TotalSeconds:0.#} s: {Describe(silo, process)}", ExitCodes.Failure);
            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    /// <summary>True for a silo that has nothing left of what it did.</summary>
    public static bool IsDrained(ProcessStatus? process, long version)
        => process is null || (process.State == nameof(SiloState.Drained) && process.OrderVersion >= version);

    public void Dispose()
    {
        _status.Dispose();
        _admin.Dispose();
    }

    private static string Describe(string silo, ProcessStatus? process) => process is null
        ? $"{silo} is not in the cluster"
        : $"{silo} is {process.State}, with {process.Connections} connections and {process.Handshakes} handshakes";
}

/// <summary>An order that was not taken, or not carried out: says why, in one line.</summary>
internal sealed class OrderException(string message, int exitCode) : Exception(message)
{
    /// <summary>One of <see cref="ExitCodes"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
