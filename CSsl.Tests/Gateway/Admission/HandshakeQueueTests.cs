using CSsl.Gateway.Admission;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Gateway.Admission;

/// <summary>Who gets a place, and who is refused.</summary>
public sealed class HandshakeQueueTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Places_are_given_at_once_and_then_in_the_order_of_arrival()
    {
        var queue = new HandshakeQueue(new AdaptiveLimit(2), new HandshakePace(_clock), 10, Patience, _clock);
        Assert.True(await queue.EnterAsync());
        Assert.True(await queue.EnterAsync());
        var (third, fourth) = (queue.EnterAsync().AsTask(), queue.EnterAsync().AsTask());
        Assert.Equal((2, 2), (queue.UnderWay, queue.Waiting));

        queue.Leave();
        Assert.True(await third);
        Assert.False(fourth.IsCompleted);
        queue.Leave();
        Assert.True(await fourth);
    }

    [Fact]
    public async Task Nobody_waits_once_it_is_closed()
    {
        var queue = new HandshakeQueue(new AdaptiveLimit(1), new HandshakePace(_clock), 10, Patience, _clock);
        Assert.True(await queue.EnterAsync());
        var waiting = queue.EnterAsync().AsTask();

        queue.Close();
        Assert.False(await waiting);
        Assert.False(await queue.EnterAsync());
        Assert.Equal((1, 0), (queue.UnderWay, queue.Waiting));
    }

    [Fact]
    public async Task Newest_goes_first_once_the_oldest_has_waited_for_long()
    {
        var queue = new HandshakeQueue(new AdaptiveLimit(1), new HandshakePace(_clock), 10, Patience, _clock);
        Assert.True(await queue.EnterAsync());
        var oldest = queue.EnterAsync().AsTask();
        _clock.Advance(Patience / 2);
        var newest = queue.EnterAsync().AsTask();

        queue.Leave();
        Assert.True(await newest);
        Assert.False(oldest.IsCompleted);
    }

    [Fact]
    public async Task Who_has_waited_longest_is_refused_when_the_queue_is_full_and_everybody_when_their_time_is_over()
    {
        var queue = new HandshakeQueue(new AdaptiveLimit(1), new HandshakePace(_clock), 2, Patience, _clock);
        Assert.True(await queue.EnterAsync());
        var (a, b) = (queue.EnterAsync().AsTask(), queue.EnterAsync().AsTask());
        _clock.Advance(TimeSpan.FromSeconds(1));
        var c = queue.EnterAsync().AsTask();
        Assert.False(await a);

        _clock.Advance(Patience - TimeSpan.FromSeconds(1));
        queue.Sweep();
        Assert.False(await b);
        Assert.False(c.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        queue.Sweep();
        Assert.False(await c);
    }

    [Fact]
    public async Task Without_a_queue_nobody_waits()
    {
        var queue = new HandshakeQueue(new AdaptiveLimit(1), new HandshakePace(_clock), 0, Patience, _clock);
        Assert.True(await queue.EnterAsync());
        Assert.False(await queue.EnterAsync());
        queue.Leave();
        Assert.True(await queue.EnterAsync());
    }

    [Fact]
    public async Task Waiters_are_admitted_when_the_limit_grows()
    {
        var limit = new AdaptiveLimit(1000);
        limit.Observe(stepTime: 100, silos: 1, underWay: 1000);
        var queue = new HandshakeQueue(limit, new HandshakePace(_clock), 100, Patience, _clock);
        for (var i = 0; i < AdaptiveLimit.LeastPerSilo; i++)
            Assert.True(await queue.EnterAsync());
        var waiter = queue.EnterAsync().AsTask();
        limit.Observe(stepTime: 0.001, silos: 1, underWay: AdaptiveLimit.LeastPerSilo);
        Assert.False(waiter.IsCompleted);
        queue.Sweep();
        Assert.True(await waiter);
    }

    [Fact]
    public void Places_are_never_more_than_the_limit_and_everybody_is_answered_once()
        => Prop.ForAll(Arb.From(Gen.Choose(1, 5)), Arb.From(Gen.Choose(0, 5)), Arb.From(Gen.ArrayOf(Gen.Choose(0, 3))), (places, capacity, steps) =>
        {
            var queue = new HandshakeQueue(new AdaptiveLimit(places), new HandshakePace(_clock), capacity, Patience, _clock);
            var answers = new List<Task<bool>>();
            var left = 0;
            foreach (var step in steps)
            {
                if (step == 1 && queue.UnderWay > 0)
                {
                    queue.Leave();
                    left++;
                }
                else if (step == 2)
                {
                    _clock.Advance(Patience / 3);
                    queue.Sweep();
                }
                else
                {
                    answers.Add(queue.EnterAsync().AsTask());
                }

                Assert.InRange(queue.UnderWay, 0, places);
                Assert.InRange(queue.Waiting, 0, capacity);
                Assert.Equal(queue.UnderWay + left, answers.Count(answer => answer is { IsCompleted: true, Result: true }));
                Assert.Equal(queue.Waiting, answers.Count(answer => !answer.IsCompleted));
                Assert.True(queue.Waiting == 0 || queue.UnderWay == places);
            }
        }).QuickCheckThrowOnFailure();
}
