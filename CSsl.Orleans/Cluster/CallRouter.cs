using System.Diagnostics.CodeAnalysis;
using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Wire;
using Microsoft.AspNetCore.Http;
using Orleans.Hosting;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>
/// Brings calls to their grain: to the activation here if there is one; else to where the directory or the placement says.
/// A grain without placement of its own is activated by the owner of its key, which is also who keeps its directory entry, so that one hop finds it.
/// </summary>
internal sealed class CallRouter(SiloAddress self, GrainTypes types, Catalog catalog, DirectoryClient directory, Membership membership, SiloTransport transport, CallCodec codec, EmbeddedClusterOptions options, TimeProvider time)
    : IGrainCaller
{
    /// <summary>Silos that may pass a request on: the owner of the key by an old view, by the new one, and the grain's own.</summary>
    private const int MaxHops = 4;

    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(20);

    private volatile bool _cutOff;

    /// <summary>The cluster has declared this silo dead: it must not act on its grains any more.</summary>
    public void CutOff() => _cutOff = true;

    public Task<object?> InvokeAsync(GrainCall call)
    {
        if (_cutOff)
            return Task.FromException<object?>(new SiloUnavailableException("This silo was declared dead by the others."));
        var request = new Request(call);
        Deliver(request, placed: false);
        return request.AnswerAsync(options.ResponseTimeout, time);
    }

    /// <summary>A call from another process.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever was thrown is the caller's.")]
    public async Task<CallAnswer> ReceiveAsync(CallMessage message, CancellationToken cancellationToken)
    {
        try
        {
            var call = CallCodec.Decode(message, types, cancellationToken);
            var request = new Request(call) { Hops = message.Hops + 1 };
            Deliver(request, message.Placed);
            return CallCodec.EncodeResult(call.Method, await request.AnswerAsync(options.ResponseTimeout, time).ConfigureAwait(false));
        }
        catch (UnservedException)
        {
            throw;
        }
        catch (Exception e)
        {
            return CallCodec.EncodeFailure(e);
        }
    }

    /// <summary>Delivers a request that an activation could not serve; to the silo that has the grain instead, if that is known.</summary>
    public void Reroute(Request request, SiloAddress? silo)
    {
        var grainClass = types.ClassOf(request.Call.Interface);
        _ = RouteAsync(request, grainClass, new GrainId(grainClass.Name, request.Call.Key), silo);
    }

    private void Deliver(Request request, bool placed)
    {
        var grainClass = types.ClassOf(request.Call.Interface);
        var id = new GrainId(grainClass.Name, request.Call.Key);
        if (catalog.TryDeliver(id, request))
            return;
        if (!placed)
            _ = RouteAsync(request, grainClass, id, null);
        else if (IsActive)
            catalog.Deliver(grainClass, id, request);
        else
            throw new UnservedException(StatusCodes.Status503ServiceUnavailable);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong on the way is the caller's to know.")]
    private async Task RouteAsync(Request request, GrainClass grainClass, GrainId id, SiloAddress? known)
    {
        try
        {
            var began = time.GetTimestamp();
            for (var attempt = 0; ; attempt++)
            {
                var (silo, placed) = known is not null && attempt == 0 ? (known, true) : await LocateAsync(grainClass, id).ConfigureAwait(false);
                if (silo.Equals(self))
                {
                    catalog.Deliver(grainClass, id, request);
                    return;
                }
                try
                {
                    request.TrySetResult(await ForwardAsync(request, silo, placed).ConfigureAwait(false));
                    return;
                }
                catch (UndeliveredException e)
                {
                    // Only worth another try if the silo is known to be leaving or gone. A grain that is on its way out of it is somewhere else soon.
                    var view = await membership.RefreshAsync().ConfigureAwait(false);
                    if (view.StatusOf(silo) == SiloStatus.Active || time.GetElapsedTime(began) > options.ResponseTimeout)
                        throw e.ToUnavailable();
                    if (attempt > 0)
                        await Task.Delay(RetryPause, time).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e)
        {
            request.TrySetException(e);
        }
    }

    private async ValueTask<(SiloAddress Silo, bool Placed)> LocateAsync(GrainClass grainClass, GrainId id)
    {
        if (grainClass.PreferLocal && IsActive)
            return (self, false);
        var owner = DirectoryClient.OwnerOf(id.Key, membership.Current);
        if (!owner.Equals(self))
            return (owner, false);
        return await directory.Local.LookupAsync(id).ConfigureAwait(false) is { } silo ? (silo, true) : (self, false);
    }

    private async Task<object?> ForwardAsync(Request request, SiloAddress silo, bool placed)
    {
        if (request.Hops >= MaxHops)
            throw new OrleansMessageRejectionException($"{request.Call}: the silos disagree about where the grain is.");
        var message = CallCodec.Encode(request.Call, request.Hops, placed);
        var answer = await transport.SendAsync<CallAnswer>(silo, Operations.Call, message, options.ResponseTimeout, request.Call.CancellationToken).ConfigureAwait(false);
        return codec.Decode(request.Call.Method, answer);
    }

    private bool IsActive => membership.Current.StatusOf(self) == SiloStatus.Active;
}
