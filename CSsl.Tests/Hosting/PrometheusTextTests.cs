using System.Diagnostics.Metrics;
using CSsl.Hosting.Metrics;
using Xunit;

namespace CSsl.Tests.Hosting;

/// <summary>What a Prometheus server reads from /metrics.</summary>
public sealed class PrometheusTextTests : IDisposable
{
    private readonly MetricCollector _collector = new();
    private readonly Meter _meter = new("CSsl.Test." + Guid.NewGuid().ToString("N"));
    private readonly string _prefix = "t" + Guid.NewGuid().ToString("N");

    [Fact]
    public void Counter_is_written_with_its_unit_help_and_labels()
    {
        var counter = _meter.CreateCounter<long>(_prefix + ".refused.bytes", "By", "What \\ was\nrefused");
        counter.Add(3, new KeyValuePair<string, object?>("why", "a \"quoted\" one"));
        counter.Add(4, new KeyValuePair<string, object?>("why", "a \"quoted\" one"));
        counter.Add(1);

        Assert.Equal($$"""
            # HELP {{_prefix}}_refused_bytes_total What \\ was\nrefused
            # TYPE {{_prefix}}_refused_bytes_total counter
            {{_prefix}}_refused_bytes_total 1
            {{_prefix}}_refused_bytes_total{why="a \"quoted\" one"} 7

            """, Written());
    }

    [Fact]
    public void Histogram_buckets_are_cumulative_and_include_their_bound()
    {
        var histogram = _meter.CreateHistogram(_prefix + ".time", "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        histogram.Record(0.5);
        histogram.Record(0.75);
        histogram.Record(4);

        Assert.Equal($$"""
            # TYPE {{_prefix}}_time_seconds histogram
            {{_prefix}}_time_seconds_bucket{le="0.5"} 1
            {{_prefix}}_time_seconds_bucket{le="1"} 2
            {{_prefix}}_time_seconds_bucket{le="+Inf"} 3
            {{_prefix}}_time_seconds_sum 5.25
            {{_prefix}}_time_seconds_count 3

            """, Written());
    }

    [Fact]
    public async Task Tags_may_be_new_while_metrics_are_read()
    {
        for (var round = 0; round < 500; round++)
        {
            var counter = _meter.CreateCounter<long>($"{_prefix}.{round}");
            var series = _collector.Collect().Single(series => series.Name == counter.Name);
            var adding = Task.Run(() =>
            {
                for (var tag = 0; tag < 200; tag++)
                    counter.Add(1, new KeyValuePair<string, object?>("tag", tag));
            });
            while (!adding.IsCompleted)
                Assert.InRange(series.Points.Count(), 0, 200);
            await adding;
        }
    }

    [Fact]
    public void Observable_instruments_show_what_they_say_now()
    {
        var value = 5;
        _meter.CreateObservableUpDownCounter(_prefix + ".open", () => value);
        _ = Written();
        value = 2;

        Assert.Equal($"# TYPE {_prefix}_open gauge\n{_prefix}_open 2\n", Written());
    }

    [Fact]
    public void Tag_sets_are_bounded()
    {
        var counter = _meter.CreateCounter<long>(_prefix + ".many");
        for (var i = 0; i < 1000; i++)
            counter.Add(1, new KeyValuePair<string, object?>("n", i));

        Assert.Equal(201, Written().Count(static c => c == '\n'));
    }

    public void Dispose()
    {
        _meter.Dispose();
        _collector.Dispose();
    }

    /// <summary>Other tests' meters are heard too; only ours count.</summary>
    private string Written() => PrometheusText.Format(_collector.Collect().Where(series => series.Name.StartsWith(_prefix, StringComparison.Ordinal)));
}
