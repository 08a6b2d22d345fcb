using System.Diagnostics.CodeAnalysis;
using CSsl.EmbeddedCluster.Calls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Core;
using Orleans.Runtime;
using Orleans.Storage;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>
/// One grain in memory: its requests, in order, one at a time. It starts itself before the first and takes itself down
/// after the last; what it could not serve goes back to the silo.
/// </summary>
internal sealed partial class Activation(GrainClass grainClass, GrainId id, IActivationHost host) : IGrainContext, IKeyed
{
    /// <summary>For OnActivateAsync, and for OnDeactivateAsync.</summary>
    private static readonly TimeSpan LifecycleTimeout = TimeSpan.FromSeconds(30);

    private static long s_lastNumber;

    [ThreadStatic]
    private static Activation? t_beingMade;

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

    /// <summary>The activation whose grain is being constructed on this thread.</summary>
    public static Activation? BeingMade => t_beingMade;

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

    [SuppressMessage("Design", "CA1031", Justification = "What hinders the activation is the callers' to know.")]
    private async Task<bool> StartAsync()
    {
        try
        {
            if (await host.RegisterAsync(this) is { } elsewhere)
            {
                foreach (var request in await FinishAsync())
                    host.Reroute(request, elsewhere);
                return false;
            }
            _scope = host.Services.CreateAsyncScope();
            _grain = Make(out var states);
            foreach (IStorage state in states)
                await state.ReadStateAsync();
            using var timeout = new CancellationTokenSource(LifecycleTimeout, host.Time);
            await _grain.OnActivateAsync(timeout.Token);
            return _started = true;
        }
        catch (Exception e)
        {
            LogActivationFailed(host.Log, Id, e);
            await host.UnregisterAsync(this);
            foreach (var request in await FinishAsync())
                request.TrySetException(e);
            return false;
        }
    }

    private Grain Make(out object[] states)
    {
        t_beingMade = this;
        try
        {
            return (Grain)grainClass.Create(ActivationServices, (type, name) => host.CreateState(type, Id, name), out states);
        }
        finally
        {
            t_beingMade = null;
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A grain that fails to say goodbye goes all the same.")]
    private async Task StopAsync(DeactivationReason reason)
    {
        try
        {
            using var timeout = new CancellationTokenSource(LifecycleTimeout, host.Time);
            await _grain!.OnDeactivateAsync(reason, timeout.Token);
        }
        catch (Exception e)
        {
            LogDeactivationFailed(host.Log, Id, reason.ReasonCode, e);
        }
        await host.UnregisterAsync(this);
        foreach (var request in await FinishAsync())
            host.Reroute(request, null);
    }

    /// <summary>The end: nothing is taken any more. Returns the requests that were not served.</summary>
    private async Task<List<Request>> FinishAsync()
    {
        List<Request> left;
        GrainTimer[] timers;
        lock (_gate)
        {
            _gone = true;
            left = [.. _waiting.OfType<Request>()];
            _waiting.Clear();
            timers = [.. _timers];
        }
        foreach (var timer in timers)
            timer.Dispose();
        host.Forget(this);
        await DisposeGrainAsync();
        _deactivated.SetResult();
        return left;
    }

    [SuppressMessage("Design", "CA1031", Justification = "A grain that fails to clean up goes all the same.")]
    private async Task DisposeGrainAsync()
    {
        try
        {
            if (_grain is IAsyncDisposable asyncDisposable)
                await asyncDisposable.DisposeAsync();
            else if (_grain is IDisposable disposable)
                disposable.Dispose();
            if (_scope is { } scope)
                await scope.DisposeAsync();
        }
        catch (Exception e)
        {
            LogDeactivationFailed(host.Log, Id, _leaving?.ReasonCode ?? DeactivationReasonCode.None, e);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Grain {Grain} could not be activated.")]
    private static partial void LogActivationFailed(ILogger logger, GrainId grain, Exception exception);

    [LoggerMessage(2, LogLevel.Warning, "Grain {Grain} failed while it was deactivated ({Reason}).")]
    private static partial void LogDeactivationFailed(ILogger logger, GrainId grain, DeactivationReasonCode reason, Exception exception);
}
