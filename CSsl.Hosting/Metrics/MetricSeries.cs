using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace CSsl.Hosting.Metrics;

/// <summary>What a series is to whoever reads it.</summary>
public enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Counts measurements by size.</summary>
    Histogram,
}

/// <summary>The current values of one instrument, one per set of tags.</summary>
public sealed class MetricSeries
{
    /// <summary>More sets of tags than this are not kept: tags of ours are few, and none is the client's to choose.</summary>
    private const int MaxTagSets = 200;

    private static readonly double[] DefaultBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly ConcurrentDictionary<string, MetricPoint> _points = new(StringComparer.Ordinal);
    private readonly MetricPoint _untagged;
    private readonly double[] _bounds;
    private readonly bool _absolute;

    internal MetricSeries(Instrument instrument)
    {
        Name = instrument.Name;
        Unit = instrument.Unit ?? "";
        Description = instrument.Description ?? "";
        var type = instrument.GetType();
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        Kind = definition == typeof(Counter<>) || definition == typeof(ObservableCounter<>) ? MetricKind.Counter
            : definition == typeof(Histogram<>) ? MetricKind.Histogram
            : MetricKind.Gauge;
        _absolute = instrument.IsObservable || definition == typeof(Gauge<>);
        _bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? DefaultBounds;
        _untagged = NewPoint();
    }

    /// <summary>The instrument's name, such as "cssl.gateway.connections".</summary>
    public string Name { get; }

    /// <summary>UCUM unit: "By", "s", "{connection}".</summary>
    public string Unit { get; }

    public string Description { get; }

    public MetricKind Kind { get; }

    /// <summary>Values with their tags as Prometheus labels (<c>reason="timeout"</c>; empty without tags).</summary>
    public IEnumerable<(string Labels, MetricPoint Point)> Points
    {
        get
        {
            if (_untagged.IsUsed)
                yield return ("", _untagged);

            // ToArray is the dictionary's own: a copy by LINQ fails when it grows meanwhile.
            foreach (var (labels, point) in _points.ToArray().OrderBy(static entry => entry.Key, StringComparer.Ordinal))
                yield return (labels, point);
        }
    }

    internal void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (PointFor(tags) is not { } point)
            return;

        if (_absolute)
            point.Set(value);
        else
            point.Add(value);
    }

    private MetricPoint? PointFor(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return _untagged;

        var labels = Labels(tags);
        if (_points.TryGetValue(labels, out var point))
            return point;

        return _points.Count < MaxTagSets ? _points.GetOrAdd(labels, static (_, series) => series.NewPoint(), this) : null;
    }

    private MetricPoint NewPoint() => new(Kind == MetricKind.Histogram ? _bounds : []);

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            text.Append(text.Length > 0 ? "," : "").Append(name.Replace('.', '_')).Append("=\"");
            foreach (var c in Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
            {
                _ = c switch
                {
                    '\\' => text.Append(@"\\"),
                    '"' => text.Append("\\\""),
                    '\n' => text.Append("\\n"),
                    _ => text.Append(c),
                };
            }

            text.Append('"');
        }

        return text.ToString();
    }
}
