using Orleans;
using Orleans.Placement;

namespace CSsl.Grains.Data;

/// <summary>Beside the connection that serves the session; knows it through the silo's <see cref="SessionTable"/>.</summary>
[PreferLocalPlacement]
public sealed class DataGrain(SessionTable sessions) : Grain, IDataGrain
{
    private DataSessionInfo? _info;

    /// <inheritdoc/>
    public ValueTask<bool> Attached(DataSessionInfo info, CancellationToken cancellationToken)
    {
        // Left over from before the session moved: make room for an activation beside the connection.
        if (!sessions.TryGet(info.SessionId, out var session) || session.Info.Silo != info.Silo)
        {
            DeactivateOnIdle();
            return ValueTask.FromResult(false);
        }

        _info = info;
        return ValueTask.FromResult(true);
    }

    /// <inheritdoc/>
    public ValueTask Detached(DataSessionInfo info, CancellationToken cancellationToken)
    {
        // Attached again in the meantime: that one stays.
        if (_info is null || _info == info)
        {
            _info = null;
            DeactivateOnIdle();
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<DataSessionInfo?> Find(CancellationToken cancellationToken)
    {
        // Whoever asks for a session that sleeps activates an empty grain: it does not stay.
        if (_info is null)
            DeactivateOnIdle();
        return ValueTask.FromResult(_info);
    }

    /// <inheritdoc/>
    public ValueTask<bool> End(CancellationToken cancellationToken)
    {
        if (_info is null || !sessions.TryGet(_info.SessionId, out var session))
        {
            DeactivateOnIdle();
            return ValueTask.FromResult(false);
        }

        session.RequestClose();
        return ValueTask.FromResult(true);
    }
}
