using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace CSsl.Tests.Silo;

/// <summary>How many connections a silo's Kestrel has, by its own counter, since this was made.</summary>
internal sealed class KestrelConnections : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _opened;
    private long _closed;

    public KestrelConnections(TestSilo silo)
    {
        var factory = silo.Application.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == factory && instrument.Name == "kestrel.active_connections")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, change, _, _) => Interlocked.Add(ref change > 0 ? ref _opened : ref _closed, Math.Abs(change)));
        _listener.Start();
    }

    public long Opened => Volatile.Read(ref _opened);

    public long Active => Opened - Volatile.Read(ref _closed);

    public void Dispose() => _listener.Dispose();
}
