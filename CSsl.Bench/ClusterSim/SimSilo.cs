using System.Net;
using CSsl.Grains.Cluster;
using Orleans.Runtime;

namespace CSsl.Bench.ClusterSim;

/// <summary>
/// A silo with one core: handshakes one after the other, downloads all at once, each as fast as its client takes it while the core
/// suffices, and with equal shares of it when it does not. With both roles, each has half of the core while both want it.
/// </summary>
internal sealed class SimSilo(int index, SiloRoles startRoles, SimCosts costs)
{
    private readonly PriorityQueue<Download, double> _downloads = new();
    private double _freeAt;
    private double _handshakeWork;
    private double _dataWork;
    private double _progress;
    private double _progressAt;
    private double _reportedAt;
    private double _reportedHandshakeWork;
    private double _reportedDataWork;
    private double _stepTime;
    private int _steps;

    public string Name { get; } = $"silo-{index:0000}";

    public int Index => index;

    public Guid Incarnation { get; private set; } = NewIncarnation(index, 0);

    public int Run { get; private set; }

    public bool IsAlive { get; private set; } = true;

    public SiloRoles StartRoles { get; } = startRoles;

    public SiloRoles Roles { get; set; } = startRoles;

    public int HandshakesUnderWay { get; set; }

    public int Downloads => _downloads.Count;

    /// <summary>Marks the departure that is planned: an older one is void.</summary>
    public int Stamp { get; private set; }

    /// <summary>CPU seconds used so far.</summary>
    public double Work(double now) => HandshakeWork(now) + DataWork(now);

    /// <summary>Gives it a handshake; returns when that is done.</summary>
    public double Begin(double now, double cpu)
    {
        var takes = _downloads.Count > 0 ? 2 * cpu : cpu;
        _freeAt = Math.Max(_freeAt, now) + takes;
        _handshakeWork += cpu;
        HandshakesUnderWay++;
        _stepTime += _freeAt - now;
        _steps++;
        return _freeAt;
    }

    /// <summary>Gives it a download.</summary>
    public void Add(double now, Download download)
    {
        Advance(now);
        _downloads.Enqueue(download, _progress + download.Megabytes);
    }

    /// <summary>The download that ends first is over.</summary>
    public Download Complete(double now)
    {
        Advance(now);
        return _downloads.Dequeue();
    }

    /// <summary>When the next download ends, if nothing changes; plans anew.</summary>
    public double? NextDeparture(double now)
    {
        Advance(now);
        Stamp++;
        return _downloads.TryPeek(out _, out var end) ? now + (Math.Max(0, end - _progress) / Rate(now)) : null;
    }

    /// <summary>Dies: what it had goes elsewhere.</summary>
    public List<Download> Crash(double now)
    {
        Advance(now);
        var lost = new List<Download>(_downloads.Count);
        while (_downloads.TryDequeue(out var download, out var end))
            lost.Add(download with { Megabytes = end - _progress });
        Stamp++;
        IsAlive = false;
        Run++;
        (_freeAt, HandshakesUnderWay) = (0, 0);
        return lost;
    }

    /// <summary>Starts again under its name.</summary>
    public void Restart(double now)
    {
        (IsAlive, Roles, Incarnation) = (true, StartRoles, NewIncarnation(index, Run));
        (_reportedAt, _reportedHandshakeWork, _reportedDataWork) = (now, HandshakeWork(now), DataWork(now));
    }

    /// <summary>What it says about itself.</summary>
    public SiloReport Report(double now, SiloOrder? order)
    {
        var elapsed = now - _reportedAt;
        var (handshakes, data) = (HandshakeWork(now), DataWork(now));
        var cpu = elapsed > 0 ? (handshakes - _reportedHandshakeWork + data - _reportedDataWork) / elapsed : 0;
        var wanted = _downloads.Count * costs.ClientRate * costs.PerMegabyte / 1e6;
        var report = new SiloReport
        {
            Name = Name,
            Incarnation = Incarnation,
            ProcessId = index,
            Address = SiloAddress.New(IPAddress.Loopback, index, Run),
            LinkEndpoint = "sim:1",
            Roles = Roles,
            StartRoles = StartRoles,
            CapableRoles = SiloRoles.Handshake | SiloRoles.Data,
            Mode = RoleMode.Auto,
            State = SiloState.Active,
            StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(Run),
            Order = order,
            Load = new SiloLoad
            {
                ProcessCpu = cpu,
                MachineCpu = Math.Min(1, cpu),
                CpuAllowance = 1,
                HandshakesInFlight = HandshakesUnderWay,
                HandshakeQueue = HandshakesUnderWay,
                HandshakeTime = _steps > 0 ? _stepTime / _steps : 0,
                HandshakesPerSecond = elapsed > 0 ? _steps / elapsed : 0,
                Connections = _downloads.Count,
                SchedulingDelay = wanted > 1 ? 0.1 * wanted : 0,
            },
        };
        (_reportedAt, _reportedHandshakeWork, _reportedDataWork, _stepTime, _steps) = (now, handshakes, data, 0, 0);
        return report;
    }

    private double HandshakeWork(double now) => _handshakeWork - Math.Max(0, _freeAt - now);

    private double DataWork(double now)
    {
        Advance(now);
        return _dataWork;
    }

    private double Rate(double now)
    {
        var core = _freeAt > now ? 0.5 : 1;
        return Math.Min(costs.ClientRate, core / (_downloads.Count * costs.PerMegabyte / 1e6));
    }

    private void Advance(double now)
    {
        if (_downloads.Count > 0)
        {
            var megabytes = Rate(_progressAt) * (now - _progressAt);
            _progress += megabytes;
            _dataWork += megabytes * _downloads.Count * costs.PerMegabyte / 1e6;
        }

        _progressAt = now;
    }

    private static Guid NewIncarnation(int index, int run) => new(index + 1, (short)run, 0, new byte[8]);
}

/// <summary>One client's download.</summary>
/// <param name="Since">When it began.</param>
/// <param name="Size">All of it, in MB.</param>
/// <param name="Megabytes">What is left of it where it is now.</param>
internal readonly record struct Download(double Since, double Size, double Megabytes);
