using CSsl.Gateway.Connections;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Gateway.Connections;

/// <summary>One queue of equal deadlines.</summary>
public sealed class DeadlineQueueTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly List<string> _expired = [];

    [Fact]
    public void Tickets_expire_in_order_once_their_own_time_is_over()
    {
        var queue = new DeadlineQueue(TimeSpan.FromSeconds(10), _clock, static () => { });
        queue.Enter(() => _expired.Add("first"));
        _clock.Advance(TimeSpan.FromSeconds(4));
        queue.Enter(() => _expired.Add("second"));
        _clock.Advance(TimeSpan.FromSeconds(6));
        queue.Sweep();
        Assert.Equal(["first"], _expired);

        _clock.Advance(TimeSpan.FromSeconds(4));
        queue.Sweep();
        queue.Sweep();
        Assert.Equal(["first", "second"], _expired);
    }

    [Fact]
    public void Ticket_that_was_given_back_does_not_expire()
    {
        var queue = new DeadlineQueue(TimeSpan.FromSeconds(1), _clock, static () => { });
        var ticket = queue.Enter(() => _expired.Add("gone"));
        queue.Leave(ticket);
        queue.Leave(ticket);
        queue.Leave(null);
        _clock.Advance(TimeSpan.FromSeconds(2));
        queue.Sweep();
        Assert.Empty(_expired);
    }

    [Fact]
    public void Expired_connection_may_enter_and_leave_queues_while_it_is_told()
    {
        var queue = new DeadlineQueue(TimeSpan.FromSeconds(1), _clock, static () => { });
        var other = queue.Enter(() => _expired.Add("other"));
        LinkedListNode<DeadlineQueue.Ticket>? own = null;
        queue.Leave(other);
        own = queue.Enter(() =>
        {
            queue.Leave(own);
            queue.Enter(() => _expired.Add("again"));
        });
        _clock.Advance(TimeSpan.FromSeconds(1));
        queue.Sweep();
        Assert.Empty(_expired);
        _clock.Advance(TimeSpan.FromSeconds(1));
        queue.Sweep();
        Assert.Equal(["again"], _expired);
    }
}
