namespace CSsl.Gateway.Admission;

/// <summary>What a connection is doing, in the order in which connections make room for others.</summary>
internal enum Idleness
{
    /// <summary>Something is under way, or may be: it stays.</summary>
    Busy = 0,

    /// <summary>Its ClientHello has not come.</summary>
    Silent,

    /// <summary>It has no session yet.</summary>
    Handshake,

    /// <summary>No silo has it.</summary>
    Asleep,

    /// <summary>A silo has it, and nothing is under way.</summary>
    Idle,
}

/// <summary>
/// Who is evicted when there is no room: whoever has not shaken hands in the time that it takes, then as many as are wanted of those that have been quiet for longest.
/// While enough others are new, and will go in a moment if they don't speak, nobody who has a session goes for them: silent sockets drive out each other, not clients.
/// </summary>
internal static class Eviction
{
    /// <summary>Chooses.</summary>
    /// <param name="connections">All, with the time since they came or were last heard.</param>
    /// <param name="wanted">How many places are wanted.</param>
    public static List<(T Connection, Idleness Idleness)> Choose<T>(IEnumerable<(T Connection, Idleness Idleness, TimeSpan Quiet)> connections, int wanted)
    {
        var strangers = 0;
        List<(T, Idleness)> chosen = [];
        var quiet = new PriorityQueue<(T, Idleness), (int, TimeSpan)>();
        foreach (var (connection, idleness, time) in connections)
        {
            var isDue = time >= Patience(idleness);
            switch (idleness)
            {
                case Idleness.Silent or Idleness.Handshake:
                    strangers++;
                    if (isDue)
                        chosen.Add((connection, idleness));
                    break;
                case Idleness.Asleep or Idleness.Idle when isDue:
                    // At its head is who would go last.
                    quiet.Enqueue((connection, idleness), (-(int)idleness, time));
                    if (quiet.Count > wanted)
                        quiet.Dequeue();
                    break;
                default:
                    break;
            }
        }

        while (quiet.Count > Math.Max(0, wanted - strangers))
            quiet.Dequeue();
        chosen.AddRange(quiet.UnorderedItems.Select(static item => item.Element));
        return chosen;
    }

    /// <summary>A ClientHello comes with the connection, or right behind it. A handshake takes two round trips, of which a packet may be lost.</summary>
    private static TimeSpan Patience(Idleness idleness) => idleness switch
    {
        Idleness.Silent => TimeSpan.FromSeconds(0.3),
        Idleness.Handshake => TimeSpan.FromSeconds(3),
        Idleness.Idle => TimeSpan.FromSeconds(1),
        _ => TimeSpan.Zero,
    };
}
