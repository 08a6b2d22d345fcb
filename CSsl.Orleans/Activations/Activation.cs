using CSsl.EmbeddedCluster.Calls;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>
/// One grain in memory: its requests, in order, one at a time. It starts itself before the first and takes itself down
/// after the last; what it could not serve goes back to the silo.
/// </summary>
internal sealed partial class Activation(GrainClass grainClass, GrainId id, IActivationHost host) : IGrainContext, IKeyed
{
    private static long s_lastNumber;

    private readonly Lock _gate = new();
    private readonly Queue<ITurn> _waiting = new();
    private readonly TurnScheduler _scheduler = new();
    private readonly List<GrainTimer> _timers = [];
    private readonly TaskCompletionSource _deactivated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AsyncServiceScope? _scope;
    private Grain? _grain;
    private bool _started;
    private DeactivationReason? _leaving;
    private bool _pumping;
    private bool _gone;
    private bool _registered;
    private long _lastUsed = host.Time.GetTimestamp();

    public GrainId Id { get; } = id;

    public GrainKey Key => Id.Key;

    /// <summary>Tells one activation of a grain on this silo from the next.</summary>
    public long Number { get; } = Interlocked.Increment(ref s_lastNumber);

    /// <summary>The directory has it. Set by whoever registers it, before it checks once more that it asked the right silo.</summary>
    public bool IsRegistered { get => Volatile.Read(ref _registered); set => Volatile.Write(ref _registered, value); }

    public object? GrainInstance => _grain;

    public IServiceProvider ActivationServices => _scope?.ServiceProvider ?? host.Services;

    public Task Deactivated => _deactivated.Task;

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_gone || _leaving is not null)
                return;
            _leaving = deactivationReason;
            if (_pumping)
                return;
            _pumping = true;
        }
        StartPump();
    }

    /// <summary>Deactivates the grain if nothing was asked of it for <paramref name="age"/>.</summary>
    public void CollectIfIdle(TimeSpan age)
    {
        lock (_gate)
        {
            if (_pumping || host.Time.GetElapsedTime(_lastUsed) < age)
                return;
        }
        Deactivate(new DeactivationReason(DeactivationReasonCode.ActivationIdle, "Not called for the collection age."));
    }

    /// <summary>False when the activation is gone: the request belongs to the next one.</summary>
    public bool TryEnqueue(ITurn turn)
    {
        lock (_gate)
        {
            if (_gone)
                return false;
            _waiting.Enqueue(turn);
            if (_pumping)
                return true;
            _pumping = true;
        }
        StartPump();
        return true;
    }

    public GrainTimer AddTimer(Func<CancellationToken, Task> callback, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new GrainTimer(this, callback, host.Time, host.Log);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_gone, this);
            _timers.Add(timer);
        }
        timer.Change(dueTime, period);
        return timer;
    }

    public void RemoveTimer(GrainTimer timer)
    {
        lock (_gate)
            _timers.Remove(timer);
    }

    public override string ToString() => Id.ToString();

    private void StartPump() => _scheduler.Run(static self => ((Activation)self!).PumpAsync(), this);

    private async Task PumpAsync()
    {
        if (!_started && !await StartAsync())
            return;
        while (TryTake(out var turn, out var leaving))
        {
            if (leaving is { } reason)
            {
                await StopAsync(reason);
                return;
            }
            if (await turn!.RunAsync(_grain!) is InconsistentStateException e)
                Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationError, e, "The state was changed by another writer."));
        }
    }

    private bool TryTake(out ITurn? turn, out DeactivationReason? leaving)
    {
        lock (_gate)
        {
            turn = null;
            leaving = _leaving;
            if (leaving is not null)
                return true;
            if (_waiting.TryDequeue(out turn))
            {
                if (turn is Request)
                    _lastUsed = host.Time.GetTimestamp();
                return true;
            }
            _pumping = false;
            return false;
        }
    }
}
