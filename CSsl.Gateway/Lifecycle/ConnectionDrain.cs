using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.VirtualConnections;

namespace CSsl.Gateway.Lifecycle;

/// <summary>
/// Ends every connection politely: what is under way is finished, then comes close_notify. A sleeping one is woken for that, so many of them at once
/// and no more: they are no reason to let those wait who have something to say.
/// </summary>
internal sealed class ConnectionDrain(ConnectionTable connections, HandshakeAdmission admission) : IDisposable
{
    /// <summary>Sleeping connections that are woken at once.</summary>
    public const int MaxWaking = 128;

    private readonly SemaphoreSlim _places = new(MaxWaking);

    /// <summary>Asks every connection to finish, and sees to it that those that come later do too. Completes when all have been asked.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        connections.BeginDrain();
        admission.Close();
        List<ClientConnection> all = [.. connections.All];
        foreach (var connection in all.Where(static connection => !IsAsleep(connection)))
            connection.Finish();
        foreach (var connection in all.Where(IsAsleep))
        {
            await _places.WaitAsync(cancellationToken);
            connection.Finish(Release);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();

    private static bool IsAsleep(ClientConnection connection) => connection.Session is { State: ConnectionState.Asleep };

    private void Release() => _places.Release();
}
