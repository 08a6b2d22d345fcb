using System.Diagnostics;
using System.Diagnostics.Metrics;
using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;

namespace CSsl.Gateway.Metrics;

/// <summary>What this gateway counts. What happens per record is a plain counter, read when somebody asks.</summary>
internal sealed class GatewayMeters : IDisposable
{
    private readonly Meter _meter = new("CSsl.Gateway");
    private readonly Histogram<double> _timeToEstablished;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _evicted;
    private long _acceptPauses;
    private long _accepted;
    private long _handshakesStarted;
    private long _handshakesCompleted;
    private long _recordsFromClients;
    private long _recordsToClients;
    private long _bytesFromClients;
    private long _bytesToClients;
    private long _refused;

    public GatewayMeters(ConnectionTable connections, HandshakeAdmission admission)
    {
        _meter.CreateObservableUpDownCounter("cssl.gateway.connections", () => connections.Count, "{connection}", "Client connections that are open");
        _meter.CreateObservableGauge("cssl.gateway.capacity", () => connections.Capacity, "{connection}", "Client connections that there is room for");
        _meter.CreateObservableCounter("cssl.gateway.accept_pauses", () => Volatile.Read(ref _acceptPauses), "{pause}", "Times that no client was accepted for want of room");
        _evicted = _meter.CreateCounter<long>("cssl.gateway.evicted", "{connection}", "Connections that were evicted to make room, by what they were doing");
        _meter.CreateObservableUpDownCounter("cssl.gateway.handshakes.in_flight", () => admission.UnderWay, "{handshake}", "Handshakes under way at silos");
        _meter.CreateObservableUpDownCounter("cssl.gateway.handshakes.waiting", () => admission.Waiting, "{handshake}", "Clients that wait for their handshake");
        _meter.CreateObservableGauge("cssl.gateway.handshakes.limit", () => admission.Limit, "{handshake}", "Handshakes that may be under way at once");
        _meter.CreateObservableGauge("cssl.gateway.handshakes.pace", () => PaceOf(admission), "{handshake}/s", "Handshakes that may begin per second while all CPU is in use; absent otherwise");
        _meter.CreateObservableCounter("cssl.gateway.accepted", () => Volatile.Read(ref _accepted), "{connection}", "Client connections accepted");
        _meter.CreateObservableCounter("cssl.gateway.handshakes.started", () => Volatile.Read(ref _handshakesStarted), "{handshake}", "Handshakes given to a silo");
        _meter.CreateObservableCounter("cssl.gateway.handshakes.completed", () => Volatile.Read(ref _handshakesCompleted), "{handshake}", "Handshakes completed");
        _meter.CreateObservableCounter("cssl.gateway.records", Records, "{record}", "Records passed on in the data phase");
        _meter.CreateObservableCounter("cssl.gateway.bytes", Bytes, "By", "Bytes of records passed on in the data phase");
        _refusals = _meter.CreateCounter<long>("cssl.gateway.refusals", "{connection}", "Connections that did not get to the data phase, by reason");
        Sessions = new SessionMeters(_meter);
        _timeToEstablished = _meter.CreateHistogram("cssl.gateway.time_to_established", "s", "From the accept to the end of the handshake",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });
    }

    /// <summary>Handshakes completed so far.</summary>
    public long HandshakesCompleted => Volatile.Read(ref _handshakesCompleted);

    /// <summary>Bytes of records both ways so far.</summary>
    public long BytesPassed => Volatile.Read(ref _bytesFromClients) + Volatile.Read(ref _bytesToClients);

    /// <summary>Records both ways so far.</summary>
    public long RecordsPassed => Volatile.Read(ref _recordsFromClients) + Volatile.Read(ref _recordsToClients);

    /// <summary>Connections refused so far, for whatever reason.</summary>
    public long Refusals => Volatile.Read(ref _refused);

    /// <summary>What becomes of connections apart from their silos.</summary>
    public SessionMeters Sessions { get; }

    public void CountAccepted() => Interlocked.Increment(ref _accepted);

    public void CountAcceptPause() => Interlocked.Increment(ref _acceptPauses);

    public void CountEvicted(Idleness idleness) => _evicted.Add(1, new KeyValuePair<string, object?>("state", LabelOf(idleness)));

    public void CountHandshakeStarted() => Interlocked.Increment(ref _handshakesStarted);

    public void CountHandshakeCompleted(TimeSpan sinceAccept)
    {
        Interlocked.Increment(ref _handshakesCompleted);
        _timeToEstablished.Record(sinceAccept.TotalSeconds);
    }

    public void CountRefusal(RefusalReason reason)
    {
        Interlocked.Increment(ref _refused);
        _refusals.Add(1, new KeyValuePair<string, object?>("reason", LabelOf(reason)));
    }

    public void CountFromClient(int records, int bytes)
    {
        Interlocked.Add(ref _recordsFromClients, records);
        Interlocked.Add(ref _bytesFromClients, bytes);
    }

    public void CountToClient(int records, int bytes)
    {
        Interlocked.Add(ref _recordsToClients, records);
        Interlocked.Add(ref _bytesToClients, bytes);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    /// <summary>"no_data_silo" for NoDataSilo.</summary>
    internal static string LabelOf(Enum value)
        => string.Concat(value.ToString().Select(static (c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));

    private static Measurement<double>[] PaceOf(HandshakeAdmission admission) => admission.Pace is var pace && double.IsFinite(pace) ? [new(pace)] : [];

    private IEnumerable<Measurement<long>> Records() => Both(ref _recordsFromClients, ref _recordsToClients);

    private IEnumerable<Measurement<long>> Bytes() => Both(ref _bytesFromClients, ref _bytesToClients);

    private static Measurement<long>[] Both(ref long fromClients, ref long toClients)
        =>
        [
            new(Volatile.Read(ref fromClients), new TagList { { "direction", "from_clients" } }),
            new(Volatile.Read(ref toClients), new TagList { { "direction", "to_clients" } }),
        ];
}
