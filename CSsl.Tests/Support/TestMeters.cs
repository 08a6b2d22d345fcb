using System.Diagnostics.Metrics;

namespace CSsl.Tests.Support;

/// <summary>Meters for classes that a test makes itself.</summary>
internal sealed class TestMeters : IMeterFactory
{
    private readonly List<Meter> _meters = [];

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public bool Has(Meter meter) => _meters.Contains(meter);

    public void Dispose() => _meters.ForEach(static meter => meter.Dispose());
}
