using Orleans;
using Orleans.Runtime;

namespace CSsl.Grains.Handshake;

/// <summary>Keeps one session in the database. It is active for as long as a call takes: a busy cluster has millions of sessions, and most are never asked for.</summary>
public sealed class ResumptionGrain([PersistentState("tls-session", ResumptionStorage.Name)] IPersistentState<ResumptionState> stored, TimeProvider time) : Grain, IResumptionGrain
{
    /// <inheritdoc/>
    public async ValueTask Store(StoredSession session, CancellationToken cancellationToken)
    {
        LeaveSoon();
        stored.State = new ResumptionState { Sealed = session.Sealed.ToArray(), ExpiresAt = session.ExpiresAt };
        await stored.WriteStateAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>> Find(CancellationToken cancellationToken)
    {
        LeaveSoon();
        return ValueTask.FromResult<ReadOnlyMemory<byte>>(time.GetUtcNow() < stored.State.ExpiresAt ? stored.State.Sealed : default);
    }

    /// <inheritdoc/>
    public async ValueTask Remove(CancellationToken cancellationToken)
    {
        LeaveSoon();
        if (stored.RecordExists)
            await stored.ClearStateAsync(cancellationToken);
    }

    private void LeaveSoon()
    {
        // A unit test has no activation to leave.
        if (GrainContext is not null)
            DeactivateOnIdle();
    }
}
