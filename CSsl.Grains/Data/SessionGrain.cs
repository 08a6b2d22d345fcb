using System.Buffers;
using System.Security.Cryptography;
using Orleans;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace CSsl.Grains.Data;

/// <summary>Beside the connection that serves the session; knows it through the silo's <see cref="SessionTable"/>.</summary>
/// <remarks>
/// Kept alive: nobody calls it while its session is awake, and nobody has to. When Orleans deactivates it all the same, because the silo that had its directory entry is gone,
/// <see cref="OnDeactivateAsync"/> says so, and the silo's registrar attaches it again.
/// </remarks>
[PreferLocalPlacement, KeepAlive]
public sealed class SessionGrain(SessionTable sessions, ILocalSiloDetails silo) : Grain, ISessionGrain, IGrainMigrationParticipant
{
    private const string InfoKey = "info";
    private const string CapsuleKey = "capsule";

    private SessionInfo? _info;
    private byte[] _capsule = [];

    /// <summary>The session's connection, if this silo serves it as the grain knows it.</summary>
    private IServedSession? Served => _info is not null && sessions.TryGet(_info.SessionId, out var session) && session.Info == _info ? session : null;

    /// <inheritdoc/>
    public ValueTask<AttachVerdict> Attached(AwakeSession session, CancellationToken cancellationToken)
    {
        var info = session.Info;
        var isHere = info.Silo == silo.Name;
        var other = sessions.TryGet(info.SessionId, out var served) && served.Info != info ? served : null;

        // What this grain was told, what its silo serves, and what it served until a moment ago without this grain, because that had not lasted yet.
        if ((_info is not null && _info != info && _info.Generation >= info.Generation)
            || (other is not null && other.Info.Generation >= info.Generation)
            || (!isHere && sessions.LastGeneration(info.SessionId) >= info.Generation))
        {
            return ValueTask.FromResult(new AttachVerdict());
        }

        var verdict = new AttachVerdict { IsGranted = true };
        if (other is { IsOver: false })
        {
            if (!session.IsTakeover)
                return ValueTask.FromResult(new AttachVerdict());
            other.Supersede();
            verdict = verdict with { HasStoppedAnother = true, ClientRecords = other.ClientRecords };
        }

        _info = info;
        Keep(session.Capsule.ToArray());
        if (isHere)
        {
            Announce(isRegistered: true);
        }
        else
        {
            if (session.Address is { } address)
                RequestContext.Set(IPlacementDirector.PlacementHintKey, address);
            this.MigrateOnIdle();
        }

        return ValueTask.FromResult(verdict);
    }

    /// <inheritdoc/>
    public ValueTask Detached(SessionInfo info, CancellationToken cancellationToken)
    {
        // Attached again in the meantime: that one stays.
        if (_info is null || _info == info)
            Leave();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<SessionInfo?> Find(CancellationToken cancellationToken)
    {
        if (Served is null)
            Leave();
        return ValueTask.FromResult(_info);
    }

    /// <inheritdoc/>
    public ValueTask<bool> End(CancellationToken cancellationToken)
    {
        if (Served is not { } session)
        {
            Leave();
            return ValueTask.FromResult(false);
        }

        session.RequestClose();
        return ValueTask.FromResult(true);
    }

    /// <inheritdoc/>
    public ValueTask<SessionMove> Move(string silo, CancellationToken cancellationToken)
    {
        if (Served is { } session)
            return ValueTask.FromResult(session.Move(silo));
        Leave();
        return ValueTask.FromResult(SessionMove.Unknown);
    }

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Announce(isRegistered: true);
        return base.OnActivateAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Announce(isRegistered: false);
        if (reason.ReasonCode != DeactivationReasonCode.Migrating)
            Keep([]);
        return base.OnDeactivateAsync(reason, cancellationToken);
    }

    /// <inheritdoc/>
    public void OnDehydrate(IDehydrationContext dehydrationContext)
    {
        if (_info is null)
            return;
        dehydrationContext.TryAddValue(InfoKey, _info);
        dehydrationContext.AddBytes(CapsuleKey, _capsule);
        Keep([]);
    }

    /// <inheritdoc/>
    public void OnRehydrate(IRehydrationContext rehydrationContext)
    {
        if (rehydrationContext.TryGetValue(InfoKey, out SessionInfo? info) && rehydrationContext.TryGetBytes(CapsuleKey, out var capsule))
            (_info, _capsule) = (info, capsule.ToArray());
    }

    /// <summary>Tells the registrar, by the session itself, whether there is a grain for it.</summary>
    private void Announce(bool isRegistered)
    {
        if (Served is { } session)
            session.IsRegistered = isRegistered;
    }

    /// <summary>Whoever asks for a session that sleeps activates an empty grain: it does not stay.</summary>
    private void Leave()
    {
        _info = null;
        DeactivateOnIdle();
    }

    private void Keep(byte[] capsule)
    {
        CryptographicOperations.ZeroMemory(_capsule);
        _capsule = capsule;
    }
}
