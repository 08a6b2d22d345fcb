using System.Diagnostics;
using CSsl.Grains.Cluster;

namespace CSsl.Bench.ClusterSim;

/// <summary>
/// A cluster as a discrete-event model: clients come at random (Poisson), gateways choose with <see cref="SiloPicker"/>, silos work and report twice
/// a second, and <see cref="RolePlanner"/> moves roles. Only the work itself is a model; who decides is the real thing. The same seed gives the same result.
/// </summary>
internal sealed class Simulation : IDisposable
{
    private const double ReportInterval = 0.5;
    private const double PlanInterval = 0.25;
    private const double SampleInterval = 0.5;
    private const int FewSilos = 6;

    private readonly Scenario _scenario;
    private readonly SimCosts _costs;
    private readonly Random _random;
    private readonly SimClock _clock = new();
    private readonly PriorityQueue<Event, (double, long)> _events = new();
    private readonly SimSilo[] _silos;
    private readonly Dictionary<Guid, SimSilo> _byIncarnation;
    private readonly SimGateway[] _gateways;
    private readonly SimControl _control;
    private readonly SimMeter _meter;
    private readonly double _connectionRate;
    private readonly double _stormRate;
    private readonly double _floodRate;
    private long _order;
    private long _refused;
    private long _moved;
    private long _handshakes;
    private long _downloads;
    private double _offered;

    public Simulation(Scenario scenario, int silos, SimCosts costs, int seed)
    {
        (_scenario, _costs, _random) = (scenario, costs, new Random(seed));
        var share = costs.MeanHandshake / (costs.MeanHandshake + costs.MeanDownload);
        var handshakeSilos = Math.Clamp((int)Math.Round(silos * share * scenario.HandshakeSilos), 1, silos - 1);
        _silos = [.. Enumerable.Range(0, silos).Select(i => new SimSilo(i, RolesOf(i, silos, handshakeSilos), costs))];
        _byIncarnation = _silos.ToDictionary(static silo => silo.Incarnation);
        _connectionRate = scenario.Load * silos / (costs.MeanHandshake + costs.MeanDownload);
        _stormRate = scenario.Storm * handshakeSilos / costs.MeanHandshake;
        _floodRate = scenario.Flood * silos / costs.MeanDownload;
        _gateways = [.. Enumerable.Range(0, Math.Clamp(silos / 50, 1, 20)).Select(i => new SimGateway(_clock, IsReachable, seed + 1000 + i))];
        _control = new SimControl(_silos, _gateways.Length);
        _meter = new SimMeter(_silos);
    }

    /// <summary>Runs it to its end.</summary>
    public SimResult Run()
    {
        var began = Stopwatch.GetTimestamp();
        Begin();
        while (_events.TryDequeue(out var next, out var at) && at.Item1 <= _scenario.End)
        {
            _clock.Now = at.Item1;
            Handle(next);
        }

        var worked = _silos.Sum(silo => silo.Work(_clock.Now));
        return new SimResult(_scenario, _silos.Length, _meter.Samples)
        {
            Changes = _control.Changes,
            FirstOrder = _control.FirstOrder(_scenario.From),
            FirstEffect = _meter.FirstEffect is { } at2 ? at2 - _scenario.From : null,
            Handshakes = _handshakes,
            Downloads = _downloads,
            Refused = _refused,
            Moved = _moved,
            Efficiency = worked / _offered,
            GrainCores = (((_silos.Length + _gateways.Length) * _costs.GrainCall) + ((double)_gateways.Length * _silos.Length * _costs.GrainCallPerSilo)) / ReportInterval / 1e6,
            Took = Stopwatch.GetElapsedTime(began).TotalSeconds,
        };
    }

    public void Dispose()
    {
        foreach (var gateway in _gateways)
            gateway.Dispose();
    }

    /// <summary>A few silos do both.</summary>
    private static SiloRoles RolesOf(int index, int silos, int handshakeSilos) => silos < FewSilos ? SiloRoles.Handshake | SiloRoles.Data
        : index < handshakeSilos ? SiloRoles.Handshake
        : SiloRoles.Data;

    private void Begin()
    {
        foreach (var silo in _silos)
        {
            _control.Report(silo, 0);
            Schedule(_random.NextDouble() * ReportInterval, new Event(EventKind.Report, silo.Index, 0));
        }

        for (var i = 0; i < _gateways.Length; i++)
        {
            _gateways[i].Update(_control.View(0));
            Schedule(_random.NextDouble() * ReportInterval, new Event(EventKind.View, i, 0));
        }

        // The downloads that are under way when we begin to look.
        var dataSilos = _silos.Where(static silo => silo.Roles.HasFlag(SiloRoles.Data)).ToArray();
        var downloads = (int)(_connectionRate * _costs.MeanMegabytes / _costs.ClientRate);
        _offered += downloads * _costs.MeanDownload;
        for (var i = 0; i < downloads; i++)
        {
            var megabytes = Exponential(_costs.MeanMegabytes);
            dataSilos[i % dataSilos.Length].Add(0, new Download(0, megabytes, megabytes));
        }

        foreach (var silo in dataSilos)
            Plan(silo);
        Schedule(PlanInterval, new Event(EventKind.Plan, 0, 0));
        Schedule(SampleInterval, new Event(EventKind.Sample, 0, 0));
        Schedule(Exponential(1 / _connectionRate), new Event(EventKind.Client, 0, 0));
        if (_stormRate > 0)
            Schedule(_scenario.From, new Event(EventKind.Storm, 0, 0));
        if (_floodRate > 0)
            Schedule(_scenario.From, new Event(EventKind.Flood, 0, 0));
        if (_scenario.CrashRate > 0)
            Schedule(_scenario.From, new Event(EventKind.Crash, 0, 0));
    }

    private void Handle(Event next)
    {
        var now = _clock.Now;
        switch (next.Kind)
        {
            case EventKind.Client or EventKind.Storm:
                var isStorm = next.Kind == EventKind.Storm;
                Arrive(_gateways[_random.Next(_gateways.Length)], now, isStorm);
                Again(next, Exponential(1 / (isStorm ? _stormRate : _connectionRate)), always: !isStorm);
                break;
            case EventKind.Flood:
                Attach(NewDownload(now));
                Again(next, Exponential(1 / _floodRate), always: false);
                break;
            case EventKind.HandshakeDone:
                HandshakeDone(next);
                break;
            case EventKind.Departure when _silos[next.Index].Stamp == next.Number:
                _meter.Ended(_silos[next.Index].Complete(now), now, _costs.ClientRate);
                _downloads++;
                Plan(_silos[next.Index]);
                break;
            case EventKind.Report:
                if (_silos[next.Index].IsAlive)
                    _control.Report(_silos[next.Index], now);
                Again(next, ReportInterval, always: true);
                break;
            case EventKind.View:
                _control.Report(_gateways[next.Index].Report(next.Index), next.Index);
                _gateways[next.Index].Update(_control.View(now));
                Admit(_gateways[next.Index]);
                Again(next, ReportInterval, always: true);
                break;
            case EventKind.Plan:
                _control.Plan(now);
                Again(next, PlanInterval, always: true);
                break;
            case EventKind.Sample:
                _meter.Take(now);
                Again(next, SampleInterval, always: true);
                break;
            case EventKind.Crash:
                Crash();
                Again(next, 1 / (_scenario.CrashRate * _silos.Length), always: false);
                break;
            case EventKind.Restart:
                Restart(_silos[next.Index]);
                break;
            default:
                break;
        }
    }

    private void Arrive(SimGateway gateway, double since, bool isStorm)
    {
        if (gateway.HasPlace)
            Begin(gateway, isStorm ? -since : since);
        else
            gateway.Waiting.AddLast(isStorm ? -since : since);
    }

    /// <summary>A handshake begins; <paramref name="since"/> is negative for one that nothing follows.</summary>
    private void Begin(SimGateway gateway, double since)
    {
        var now = _clock.Now;
        if (gateway.Picker.Pick(SiloRoles.Handshake) is not { } report)
        {
            _refused++;
            return;
        }

        var silo = _byIncarnation[report.Incarnation];
        var cpu = _costs.SecondsOf(_random);
        _offered += cpu;
        gateway.UnderWay++;
        var done = silo.Begin(now, cpu);
        _meter.Began(done - cpu - Math.Abs(since), silo, now);
        Schedule(done, new Event(EventKind.HandshakeDone, silo.Index, silo.Run, Array.IndexOf(_gateways, gateway), since));
    }

    private void HandshakeDone(Event done)
    {
        var (silo, gateway) = (_silos[done.Index], _gateways[done.Gateway]);
        gateway.UnderWay--;
        if (silo.Run != done.Number)
        {
            _moved++;
            Begin(gateway, done.Since);
            return;
        }

        silo.HandshakesUnderWay--;
        _handshakes++;
        if (done.Since > 0)
            Attach(NewDownload(_clock.Now));
        Admit(gateway);
    }

    private void Admit(SimGateway gateway)
    {
        while (gateway.HasPlace && gateway.Next(_clock.Now, ref _refused) is { } since)
            Begin(gateway, since);
    }

    private Download NewDownload(double now)
    {
        var megabytes = Exponential(_costs.MeanMegabytes);
        _offered += Math.Min(megabytes, (_scenario.End - now) * _costs.ClientRate) * _costs.PerMegabyte / 1e6;
        return new Download(now, megabytes, megabytes);
    }

    private void Attach(Download download)
    {
        var gateway = _gateways[_random.Next(_gateways.Length)];
        if (gateway.Picker.Pick(SiloRoles.Data) is not { } report)
        {
            _refused++;
            return;
        }

        var silo = _byIncarnation[report.Incarnation];
        silo.Add(_clock.Now, download);
        _meter.Attached(silo, _clock.Now);
        Plan(silo);
    }

    private void Crash()
    {
        var alive = Array.FindAll(_silos, static silo => silo.IsAlive);
        if (alive.Length < 2)
            return;

        var victim = alive[_random.Next(alive.Length)];
        _byIncarnation.Remove(victim.Incarnation);
        var lost = victim.Crash(_clock.Now);
        RefreshAll();
        _moved += lost.Count;
        foreach (var download in lost)
            Attach(download);
        Schedule(_clock.Now + _costs.StartTime + 0.25, new Event(EventKind.Restart, victim.Index, 0));
    }

    private void Restart(SimSilo silo)
    {
        silo.Restart(_clock.Now);
        _byIncarnation[silo.Incarnation] = silo;
        _control.Report(silo, _clock.Now);
    }

    private void RefreshAll()
    {
        foreach (var gateway in _gateways)
            gateway.Picker.Refresh();
    }

    private bool IsReachable(SiloReport silo) => _byIncarnation.ContainsKey(silo.Incarnation);

    private void Plan(SimSilo silo)
    {
        if (silo.NextDeparture(_clock.Now) is { } at)
            Schedule(at, new Event(EventKind.Departure, silo.Index, silo.Stamp));
    }

    private void Again(Event next, double after, bool always)
    {
        if (always || _scenario.IsOn(_clock.Now + after))
            Schedule(_clock.Now + after, next);
    }

    private void Schedule(double at, Event next) => _events.Enqueue(next, (at, _order++));

    private double Exponential(double mean) => -mean * Math.Log(1 - _random.NextDouble());

    private enum EventKind
    {
        Client,
        Storm,
        Flood,
        HandshakeDone,
        Departure,
        Report,
        View,
        Plan,
        Sample,
        Crash,
        Restart,
    }

    /// <summary>Something that happens to silo, or gateway, <paramref name="Index"/>.</summary>
    private readonly record struct Event(EventKind Kind, int Index, int Number, int Gateway = 0, double Since = 0);
}
