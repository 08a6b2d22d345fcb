using CSsl.Grains.Data;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Lets the sessions of this silo go, without a client noticing where that can be: the quiescent ones leave at once and the busy ones at their next checkpoint, to
/// wake up elsewhere; HTTP/2 connections finish what is under way. Used when the silo stops, and when it gives up the data role.
/// </summary>
internal sealed class SessionDrain(SessionTable sessions)
{
    /// <summary>Asks every session to leave, also those that were asked before: one may have been attached in the meantime. The caller has made sure that no others come.</summary>
    /// <param name="isOverdue">Upgraded connections, which would stay for as long as they like, end now.</param>
    /// <returns>How many are left.</returns>
    public int Sweep(bool isOverdue = false)
    {
        foreach (var session in sessions.All)
        {
            session.Drain();
            if (isOverdue)
                session.EndUpgraded();
        }

        return sessions.Count;
    }
}
