using System.Net;
using CSsl.Grains.Cluster;
using CSsl.Grains.Configuration;

namespace CSsl.Gateway.Admission;

/// <summary>
/// Who may shake hands, and when: the gateway's protection against a storm of new connections. A source that is too fast is turned away
/// before anything of it is read; who would only wait at a handshake silo waits here, for a place, for a while.
/// </summary>
internal sealed class HandshakeAdmission : IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(50);

    private readonly SourceRates _sources;
    private readonly AdaptiveLimit _limit;
    private readonly HandshakeQueue _queue;
    private readonly ClusterViewHolder _view;
    private readonly ITimer _timer;

    public HandshakeAdmission(LimitsOptions limits, ClusterViewHolder view, TimeProvider time)
    {
        _sources = new SourceRates(limits.SourceHandshakeRate, limits.SourceHandshakeBurst, time);
        _limit = new AdaptiveLimit(limits.ConcurrentHandshakes);
        _queue = new HandshakeQueue(_limit, limits.HandshakeQueue, limits.HandshakeQueueTime, time);
        _view = view;
        _view.Changed += OnViewChanged;
        _timer = time.CreateTimer(static self => ((HandshakeAdmission)self!)._queue.Sweep(), this, SweepInterval, SweepInterval);
    }

    /// <summary>Handshakes that have a place.</summary>
    public int UnderWay => _queue.UnderWay;

    /// <summary>Clients that wait for one.</summary>
    public int Waiting => _queue.Waiting;

    /// <summary>How many places there are at the moment.</summary>
    public int Limit => _limit.Current;

    /// <summary>False: a source that is too fast. Asked once per connection, first of all.</summary>
    public bool Admits(IPAddress source) => _sources.TryTake(source);

    /// <summary>Takes a place for a handshake, when one is free; false: none in time. <see cref="Leave"/> gives it back.</summary>
    public ValueTask<bool> EnterAsync() => _queue.EnterAsync();

    /// <summary>The handshake is over.</summary>
    public void Leave() => _queue.Leave();

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.Changed -= OnViewChanged;
        _timer.Dispose();
    }

    private void OnViewChanged(ClusterView view)
    {
        var silos = view.Silos.Where(static silo => silo.State == SiloState.Active && silo.Roles.HasFlag(SiloRoles.Handshake)).ToList();
        _limit.Observe(silos.Count > 0 ? silos.Average(static silo => silo.Load.HandshakeTime) : 0, silos.Count, _queue.UnderWay);
    }
}
