using System.Diagnostics.CodeAnalysis;
using CSsl.EmbeddedCluster.Calls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Core;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>How an activation begins and ends; all of it on its own scheduler.</summary>
internal sealed partial class Activation
{
    /// <summary>For OnActivateAsync, and for OnDeactivateAsync.</summary>
    private static readonly TimeSpan LifecycleTimeout = TimeSpan.FromSeconds(30);

    [ThreadStatic]
    private static Activation? t_beingMade;

    /// <summary>The activation whose grain is being constructed on this thread.</summary>
    public static Activation? BeingMade => t_beingMade;

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
