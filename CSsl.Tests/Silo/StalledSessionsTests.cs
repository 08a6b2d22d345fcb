using CSsl.Grains.Data;
using CSsl.Silo.Sessions;
using CSsl.Tests.Grains.Data;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class StalledSessionsTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_session_whose_client_takes_nothing_any_more_is_aborted_also_while_the_control_plane_hangs()
    {
        var (time, theirs) = (new WatchedTimeProvider(), new WatchedTimeProvider());
        var sessions = new SessionTable();
        var hanging = new HangingGrain();
        using var registrar = new SessionRegistrar(sessions, FakeGrains.Of(_ => hanging), theirs, NullLogger<SessionRegistrar>.Instance);
        using var sweeper = new StalledSessions(sessions, time);
        var (stalled, slow) = (NewSession(time), NewSession(time));
        foreach (var session in (FakeSession[])[stalled, slow])
            sessions.Add(session);
        await registrar.StartAsync(CancellationToken.None);
        await theirs.TimerArmedAsync(Second);
        theirs.Advance(Second);
        await hanging.Called.WaitAsync(TestSilo.Patience);

        await sweeper.StartAsync(CancellationToken.None);
        await time.TimerArmedAsync(Second);
        (stalled.Stalled, slow.Stalled) = (StalledSessions.LingerTime, StalledSessions.LingerTime - Second);
        time.Advance(Second);

        await Eventually.TrueAsync(() => stalled.Aborts == 1, "the stalled session is aborted");
        Assert.Equal(0, slow.Aborts);
        await sweeper.StopAsync(CancellationToken.None);
        await registrar.StopAsync(CancellationToken.None);
    }

    private static FakeSession NewSession(TimeProvider time)
        => new(new DataSessionInfo { SessionId = Guid.NewGuid(), Silo = "s1", Client = "203.0.113.7:50123", AttachedAt = time.GetUtcNow() });

    /// <summary>A grain on a silo that hangs.</summary>
    private sealed class HangingGrain : IDataGrain
    {
        private readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Called => _called.Task;

        public async ValueTask<bool> Attached(DataSessionInfo info, CancellationToken cancellationToken)
        {
            _called.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return true;
        }

        public ValueTask Detached(DataSessionInfo info, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<DataSessionInfo?> Find(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<bool> End(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
