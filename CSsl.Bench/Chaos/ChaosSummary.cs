using System.Globalization;
using System.Text;

namespace CSsl.Bench.Chaos;

/// <summary>What a run came to.</summary>
internal sealed record ChaosSummary(
    int Clients, int Requests, long Bytes, int Connections, IReadOnlyList<string> Losses, IReadOnlyList<Fault> Faults, IReadOnlyDictionary<string, double> Metrics)
{
    /// <summary>Every request was answered in full, each client's on one connection.</summary>
    public bool IsLossless => Losses.Count == 0 && Connections <= Clients;

    public static ChaosSummary Of(IReadOnlyList<ChaosClient> clients, IReadOnlyList<Fault> faults, IReadOnlyDictionary<string, double> metrics) => new(
        clients.Count,
        clients.Sum(static client => client.Requests),
        clients.Sum(static client => client.Bytes),
        clients.Sum(static client => client.Connections),
        [.. clients.SelectMany(static client => client.Losses).Order(StringComparer.Ordinal)],
        faults,
        metrics);

    public string Text()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"\n{Requests} requests, {Bytes / 1e9:0.0} GB, every byte compared; {Clients} clients made {Connections} connections; {Losses.Count} requests lost\n");
        foreach (IGrouping<FaultKind, Fault> kind in Faults.GroupBy(static fault => fault.Kind))
        {
            double[] waits = [.. kind.SelectMany(static fault => fault.Waits).Select(static wait => wait.TotalMilliseconds).Order()];
            text.Append(CultureInfo.InvariantCulture, $"{kind.Key}: {kind.Count()} times, {kind.Sum(static fault => fault.TakenOver)} connections taken over");
            text.Append(waits.Length == 0 ? "\n" : string.Create(CultureInfo.InvariantCulture, $"; from the fault to the next byte: median {waits.Median():0} ms, p99 {Statistics.Quantile(waits, 0.99):0} ms, longest {waits[^1]:0} ms\n"));
        }

        text.Append(CultureInfo.InvariantCulture, $"gateway: {Value("hibernated")} hibernated, {Value("woken")} woken, {Value("moved")} moved, {Value("taken_over")} taken over, {Value("lost")} lost\n");
        foreach (string loss in Losses)
            text.Append(CultureInfo.InvariantCulture, $"LOST {loss}\n");
        text.Append(IsLossless ? "lossless" : "NOT lossless");
        return text.ToString();

        double Value(string name) => Metrics.GetValueOrDefault($"cssl_gateway_{name}_total");
    }
}
