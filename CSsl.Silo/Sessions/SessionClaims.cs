using System.Collections.Concurrent;
using CSsl.Grains.Data;
using Orleans;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace CSsl.Silo.Sessions;

/// <summary>Tells the grains of sessions that this silo serves them, or is about to, and hears whether it may.</summary>
internal sealed class SessionClaims(IGrainFactory grains, ILocalSiloDetails silo, IClusterMembershipService membership)
{
    // Sessions whose grain was called.
    private readonly ConcurrentDictionary<IServedSession, bool> _told = [];

    /// <summary>Calls the session's grain.</summary>
    /// <param name="session">Attached here.</param>
    /// <param name="askAt">The name of the silo that may serve the session without a grain: where there is none yet, it is activated there, to see. Null: here.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<AttachVerdict> AttachAsync(IServedSession session, string? askAt, CancellationToken cancellationToken)
    {
        // It flows with this call and ends with this method.
        RequestContext.Set(IPlacementDirector.PlacementHintKey, (askAt is null || askAt == silo.Name ? null : Find(askAt)) ?? silo.SiloAddress);
        var awake = new AwakeSession { Info = session.Info, Capsule = session.Capsule, Address = silo.SiloAddress, IsTakeover = session.IsTakeover };
        _told[session] = true;
        return await Grain(session).Attached(awake, cancellationToken);
    }

    /// <summary>Those whose grain was called, and that are over: each once.</summary>
    public IReadOnlyList<IServedSession> TakeEnded()
    {
        var over = _told.Keys.Where(static session => session.IsOver).ToList();
        over.ForEach(session => _told.TryRemove(session, out _));
        return over;
    }

    /// <summary>The session is here no more.</summary>
    public ValueTask DetachAsync(IServedSession session, CancellationToken cancellationToken) => Grain(session).Detached(session.Info, cancellationToken);

    private ISessionGrain Grain(IServedSession session) => grains.GetGrain<ISessionGrain>(session.Info.SessionId);

    private SiloAddress? Find(string name)
        => membership.CurrentSnapshot.Members.Values.FirstOrDefault(member => member.Status == SiloStatus.Active && member.Name == name)?.SiloAddress;
}
