using System.Diagnostics.Metrics;

namespace CSsl.Tests.Support;

/// <summary>What a counter of a test's own meters has counted.</summary>
internal sealed class CounterValue : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _value;

    public CounterValue(TestMeters meters, string instrument)
    {
        _listener.InstrumentPublished = (published, listener) =>
        {
            if (published.Name == instrument && meters.Has(published.Meter))
                listener.EnableMeasurementEvents(published);
        };
        _listener.SetMeasurementEventCallback<long>((_, measurement, _, _) => Interlocked.Add(ref _value, measurement));
        _listener.Start();
    }

    public long Value => Interlocked.Read(ref _value);

    public void Dispose() => _listener.Dispose();
}
