using System.Diagnostics.Metrics;

namespace CSsl.Hosting.Metrics;

/// <summary>Listens to the instruments of this process's own meters (names that start with "CSsl") and keeps their current values.</summary>
/// <remarks>A measurement without tags costs an interlocked addition. What is counted per record is an observable instrument over a plain
/// counter instead, which costs nothing until somebody asks.</remarks>
public sealed class MetricCollector : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly List<MetricSeries> _series = [];

    /// <summary>Starts to listen; instruments that were made earlier are heard too, from now on.</summary>
    public MetricCollector()
    {
        _listener.InstrumentPublished = Published;
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>Asks the observable instruments, and returns every series in the order in which the instruments were made.</summary>
    public IReadOnlyList<MetricSeries> Collect()
    {
        _listener.RecordObservableInstruments();
        lock (_gate)
            return [.. _series];
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Published(Instrument instrument, MeterListener listener)
    {
        if (!instrument.Meter.Name.StartsWith("CSsl", StringComparison.Ordinal))
            return;

        var series = new MetricSeries(instrument);
        lock (_gate)
            _series.Add(series);
        listener.EnableMeasurementEvents(instrument, series);
    }
}
