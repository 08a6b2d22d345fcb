using System.Diagnostics.Metrics;
using CSsl.Link;

namespace CSsl.Silo.Links;

/// <summary>What all links of this silo have sent and received, those that are gone included. Thread-safe.</summary>
internal sealed class LinkMetrics
{
    private readonly Lock _gate = new();
    private readonly List<DataLink> _links = [];
    private LinkCounters _past;

    public LinkMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("CSsl.Link");
        meter.CreateObservableUpDownCounter("cssl.link.count", () => Count, "{link}", "Links with gateways");
        meter.CreateObservableCounter("cssl.link.sends", () => Total.Sends, "{call}", "System calls that sent frames to gateways");
        meter.CreateObservableCounter("cssl.link.receives", () => Total.Receives, "{call}", "System calls that brought frames from gateways");
        meter.CreateObservableCounter("cssl.link.record_frames", () => Total.RecordFramesSent, "{frame}", "Frames of records to clients: turns that one client had in a send");
    }

    private int Count
    {
        get
        {
            lock (_gate)
                return _links.Count;
        }
    }

    private LinkCounters Total
    {
        get
        {
            lock (_gate)
                return _links.Aggregate(_past, static (sum, link) => Add(sum, link.Counters));
        }
    }

    public void Add(DataLink link)
    {
        lock (_gate)
            _links.Add(link);
    }

    /// <summary>The link is over: its counters stay.</summary>
    public void Remove(DataLink link)
    {
        lock (_gate)
        {
            _links.Remove(link);
            _past = Add(_past, link.Counters);
        }
    }

    private static LinkCounters Add(LinkCounters one, LinkCounters other) => new(
        one.Sends + other.Sends,
        one.Receives + other.Receives,
        one.FramesSent + other.FramesSent,
        one.FramesReceived + other.FramesReceived,
        one.RecordFramesSent + other.RecordFramesSent,
        one.BytesSent + other.BytesSent,
        one.BytesReceived + other.BytesReceived);
}
