using CSsl.Grains.Cluster;

namespace CSsl.Bench.ClusterSim;

/// <summary>Looks at a simulated cluster twice a second.</summary>
internal sealed class SimMeter(SimSilo[] silos)
{
    private readonly double[] _work = new double[silos.Length];
    private readonly SiloRoles[] _roles = [.. silos.Select(static silo => silo.Roles)];
    private readonly int[] _runs = new int[silos.Length];
    private readonly List<double> _waits = [];
    private double _lastAt;
    private double _slowdowns;
    private int _ended;

    public List<Sample> Samples { get; } = [];

    /// <summary>When a silo first did what it was not started for.</summary>
    public double? FirstEffect { get; private set; }

    /// <summary>A handshake was given to a silo, and will have waited for so long.</summary>
    public void Began(double wait, SimSilo silo, double now)
    {
        _waits.Add(Math.Max(0, wait));
        if (!silo.StartRoles.HasFlag(SiloRoles.Handshake))
            FirstEffect ??= now;
    }

    /// <summary>A download was given to a silo.</summary>
    public void Attached(SimSilo silo, double now)
    {
        if (!silo.StartRoles.HasFlag(SiloRoles.Data))
            FirstEffect ??= now;
    }

    public void Ended(Download download, double now, double clientRate)
    {
        // What was under way at the start has no beginning.
        if (download.Since <= 0)
            return;
        _slowdowns += (now - download.Since) * clientRate / download.Size;
        _ended++;
    }

    public void Take(double now)
    {
        var (handshake, data) = (new List<double>(), new List<double>());
        for (var i = 0; i < silos.Length; i++)
        {
            var silo = silos[i];
            var work = silo.Work(now);
            var load = (work - _work[i]) / (now - _lastAt);
            var isSame = silo.IsAlive && silo.Roles == _roles[i] && silo.Run == _runs[i];
            (_work[i], _roles[i], _runs[i]) = (work, silo.Roles, silo.Run);
            if (isSame && silo.Roles.HasFlag(SiloRoles.Handshake))
                handshake.Add(load);
            if (isSame && silo.Roles.HasFlag(SiloRoles.Data))
                data.Add(load);
        }

        Samples.Add(new Sample(
            now,
            silos.Count(static silo => silo.IsAlive && silo.Roles.HasFlag(SiloRoles.Handshake)),
            silos.Count(static silo => silo.IsAlive && silo.Roles.HasFlag(SiloRoles.Data)),
            Mean(handshake), Mean(data), Imbalance(handshake), Imbalance(data),
            Percentile99(_waits),
            _ended > 0 ? Math.Max(1, _slowdowns / _ended) : 1));
        _waits.Clear();
        (_slowdowns, _ended, _lastAt) = (0, 0, now);
    }

    private static double Mean(List<double> loads) => loads.Count > 0 ? loads.Average() : 0;

    private static double Imbalance(List<double> loads) => loads.Count > 0 && loads.Average() is > 0 and var mean ? loads.Max() / mean : 1;

    private static double Percentile99(List<double> waits)
    {
        if (waits.Count == 0)
            return 0;
        waits.Sort();
        return waits[(int)(0.99 * (waits.Count - 1))];
    }
}
