using System.Net;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;

namespace CSsl.Gateway.Admission;

/// <summary>
/// Who may shake hands, and when: the gateway's protection against a storm of new connections. A source that is too fast is turned away
/// before anything of it is read; who would only wait at a handshake silo waits here, for a place, for a while.
/// </summary>
internal sealed class HandshakeAdmission : IDisposable
{
    /// <summary>From this share of its CPU on a process is full: a control group's quota is never used to the last bit.</summary>
    private const double Full = 0.9;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(50);

    private readonly SourceRates _sources;
    private readonly AdaptiveLimit _limit;
    private readonly HandshakeQueue _queue;
    private readonly ClusterViewHolder _view;
    private readonly RestingTimer _timer;
    private readonly double _perFullCore;

    public HandshakeAdmission(LimitsOptions limits, ClusterViewHolder view, TimeProvider time)
    {
        _perFullCore = limits.HandshakesPerFullCore > 0 ? limits.HandshakesPerFullCore : double.PositiveInfinity;
        _sources = new SourceRates(limits.SourceHandshakeRate, limits.SourceHandshakeBurst, time);
        _limit = new AdaptiveLimit(limits.ConcurrentHandshakes);
        _queue = new HandshakeQueue(_limit, new HandshakePace(time), limits.HandshakeQueue, limits.HandshakeQueueTime, time);
        _view = view;
        _timer = new RestingTimer(SweepInterval, Sweep, time);
    }

    /// <summary>Handshakes that have a place.</summary>
    public int UnderWay => _queue.UnderWay;

    /// <summary>Clients that wait for one.</summary>
    public int Waiting => _queue.Waiting;

    /// <summary>How many places there are at the moment.</summary>
    public int Limit => _limit.Current;

    /// <summary>How many begin per second at the moment; infinite: as many as come.</summary>
    public double Pace => _queue.Pace;

    /// <summary>Takes what this gateway's CPU is like, and from the view what the silos' is, and how promptly they answer. Called twice a second, by one caller at a time.</summary>
    public void Observe(GatewayReport self)
    {
        var view = _view.Current;
        var data = Active(view, SiloRoles.Data).ConvertAll(static silo => silo.Load);
        var isFull = self.Pressure >= Full;
        var isDataFull = data.Count > 0 && data.Average(static load => load.Pressure) >= Full;

        // What is full sets the least; what is not has room for more than that.
        var cores = isFull ? self.CpuAllowance : double.PositiveInfinity;
        if (isDataFull)
            cores = Math.Min(cores, data.Sum(static load => load.CpuAllowance) / Math.Max(1, view.Gateways.Count(static gateway => gateway.State == SiloState.Active)));
        var handshake = Active(view, SiloRoles.Handshake);
        _limit.Observe(handshake.Count > 0 ? handshake.Average(static silo => silo.Load.HandshakeTime) : 0, handshake.Count, _queue.UnderWay);
        _queue.Observe(isFull || isDataFull, cores * _perFullCore);
    }

    /// <summary>False: a source that is too fast. Asked once per connection, first of all.</summary>
    public bool Admits(IPAddress source) => _sources.TryTake(source);

    /// <summary>Takes a place for a handshake, when one is free; false: none in time. <see cref="Leave"/> gives it back.</summary>
    public ValueTask<bool> EnterAsync()
    {
        var entered = _queue.EnterAsync();
        if (!entered.IsCompleted)
            _timer.Wake();
        return entered;
    }

    /// <summary>The handshake is over.</summary>
    public void Leave() => _queue.Leave();

    /// <summary>The gateway is stopping: who waits is refused now, not at its deadline, and nobody waits any more.</summary>
    public void Close() => _queue.Close();

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private bool Sweep()
    {
        _queue.Sweep();
        return _queue.Waiting > 0;
    }

    private static List<SiloReport> Active(ClusterView view, SiloRoles role)
        => [.. view.Silos.Where(silo => silo.State == SiloState.Active && silo.Roles.HasFlag(role))];
}
