using System.Globalization;
using System.Text;
using CSsl.Bench.Reports;

namespace CSsl.Bench.Aggregation;

/// <summary>The results as a page of Markdown.</summary>
internal sealed class AggregationReport(int clients, int seconds)
{
    private readonly Dictionary<(AggregationLoad, AggregationVariant), List<AggregationResult>> _results = [];

    public void Add(AggregationLoad load, AggregationVariant variant, AggregationResult result)
    {
        if (!_results.TryGetValue((load, variant), out List<AggregationResult>? rounds))
            _results.Add((load, variant), rounds = []);
        rounds.Add(result);
    }

    public string Markdown()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # CPU of a data silo, by engine and aggregation

            `dotnet run --project CSsl.Bench -c Release -- aggregation`: `wrk` with {clients} connections that are kept fetches objects from the sample origin through a gateway and one data silo, all separate processes on this machine,
            {seconds} seconds per variant and round, all variants in every round. CPU is user and system time of the data silo alone, from /proc: TLS, HTTP, proxying to the origin and all. Medians;
            the ratio is the median of the rounds' ratios. Records are those that objects need. TLS 1.2 with encrypt-then-MAC, as OpenSSL negotiates it.


            """);
        foreach (string line in Machine.Describe())
            text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        text.Append("\n| load | engine | CPU s per GB | CPU s per million records | ratio | records per engine call | requests/s |\n|---|---|---:|---:|---:|---:|---:|\n");
        foreach (AggregationLoad load in AggregationLoad.All)
        {
            List<AggregationResult> yardstick = _results[(load, AggregationVariant.All[0])];
            foreach (AggregationVariant variant in AggregationVariant.All)
            {
                List<AggregationResult> rounds = _results[(load, variant)];
                text.Append(CultureInfo.InvariantCulture, $"| {load.Name} | {variant.Name} | {rounds.Select(r => r.CpuPerGigabyte).Median():0.00} | {rounds.Select(r => r.CpuPerMillionRecords).Median():0.00} ");
                text.Append(CultureInfo.InvariantCulture, $"| {rounds.Zip(yardstick, (mine, theirs) => mine.CpuPerGigabyte / theirs.CpuPerGigabyte).Median():0.00} ");
                text.Append(CultureInfo.InvariantCulture, $"| {rounds.Select(r => r.RecordsPerCall).Median():0.0} | {rounds.Select(r => r.RequestsPerSecond).Median():0} |\n");
            }
        }

        return text.ToString();
    }
}
