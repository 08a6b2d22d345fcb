using System.Globalization;
using System.Text;

namespace CSsl.Hosting.Metrics;

/// <summary>Writes metrics in the Prometheus text format 0.0.4.</summary>
public static class PrometheusText
{
    /// <summary>The format's media type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>One line per value, with HELP and TYPE lines before each metric.</summary>
    public static string Format(IEnumerable<MetricSeries> series)
    {
        var text = new StringBuilder();
        foreach (var metric in series)
        {
            var name = NameOf(metric);
            var described = false;
            foreach (var (labels, point) in metric.Points)
            {
                if (!described)
                    Describe(text, metric, name);
                described = true;
                if (metric.Kind == MetricKind.Histogram)
                    AppendHistogram(text, name, labels, point);
                else
                    AppendValue(text, name, labels, point.Value);
            }
        }

        return text.ToString();
    }

    /// <summary>cssl.gateway.bytes (By, a counter) is cssl_gateway_bytes_total: the unit and what a counter is belong to the name.</summary>
    private static string NameOf(MetricSeries metric)
    {
        var name = metric.Name.Replace('.', '_').Replace('-', '_');
        var unit = metric.Unit switch
        {
            "By" => "_bytes",
            "s" => "_seconds",
            _ => "",
        };
        if (!name.EndsWith(unit, StringComparison.Ordinal))
            name += unit;
        return metric.Kind == MetricKind.Counter ? name + "_total" : name;
    }

    private static void Describe(StringBuilder text, MetricSeries metric, string name)
    {
        if (metric.Description.Length > 0)
            text.Append("# HELP ").Append(name).Append(' ').Append(metric.Description.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(metric.Kind switch
        {
            MetricKind.Counter => "counter",
            MetricKind.Histogram => "histogram",
            _ => "gauge",
        }).Append('\n');
    }

    private static void AppendHistogram(StringBuilder text, string name, string labels, MetricPoint point)
    {
        var separator = labels.Length > 0 ? "," : "";
        long count = 0;
        foreach (var (bound, total) in point.CumulativeBuckets)
        {
            AppendValue(text, name + "_bucket", $"{labels}{separator}le=\"{(double.IsPositiveInfinity(bound) ? "+Inf" : Number(bound))}\"", total);
            count = total;
        }

        AppendValue(text, name + "_sum", labels, point.Value);
        AppendValue(text, name + "_count", labels, count);
    }

    private static void AppendValue(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
