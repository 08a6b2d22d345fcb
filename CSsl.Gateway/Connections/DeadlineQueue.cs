namespace CSsl.Gateway.Connections;

/// <summary>Connections that must be done with something within the same time, oldest first: one timer for all, no timer per connection.</summary>
/// <param name="time">How long each has.</param>
/// <param name="clock">The clock.</param>
/// <param name="entered">Called after each <see cref="Enter"/>.</param>
internal sealed class DeadlineQueue(TimeSpan time, TimeProvider clock, Action entered)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Ticket> _tickets = [];

    /// <summary>Calls <paramref name="expired"/> once the time from now is over, unless the ticket is given back before.</summary>
    public LinkedListNode<Ticket> Enter(Action expired)
    {
        var node = new LinkedListNode<Ticket>(new Ticket(clock.GetTimestamp(), expired));
        lock (_gate)
            _tickets.AddLast(node);
        entered();
        return node;
    }

    /// <summary>Gives a ticket back; again has no effect.</summary>
    public void Leave(LinkedListNode<Ticket>? node)
    {
        if (node is null)
            return;

        lock (_gate)
        {
            if (node.List is not null)
                _tickets.Remove(node);
        }
    }

    /// <summary>Calls those whose time is over.</summary>
    /// <returns>False: nobody is left.</returns>
    public bool Sweep()
    {
        while (TakeExpired() is { } ticket)
            ticket.Expired();
        lock (_gate)
            return _tickets.Count > 0;
    }

    private Ticket? TakeExpired()
    {
        lock (_gate)
        {
            if (_tickets.First is not { } first || clock.GetElapsedTime(first.Value.EnteredAt) < time)
                return null;

            _tickets.RemoveFirst();
            return first.Value;
        }
    }

    /// <summary>A connection's place in the queue.</summary>
    internal sealed record Ticket(long EnteredAt, Action Expired);
}
