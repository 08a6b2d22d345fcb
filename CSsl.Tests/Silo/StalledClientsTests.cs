using CSsl.Grains.Data;
using CSsl.Silo.Sessions;
using CSsl.Tests.Grains.Data;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class StalledClientsTests
{
    [Fact]
    public async Task A_session_whose_client_takes_nothing_any_more_is_aborted()
    {
        var time = new WatchedTimeProvider();
        var sessions = new SessionTable();
        var stalled = new FakeSession { Stalled = StalledClients.LingerTime };
        var slow = new FakeSession { Stalled = StalledClients.LingerTime - TimeSpan.FromTicks(1) };
        sessions.Add(stalled);
        sessions.Add(slow);
        using var clients = new StalledClients(sessions, time);
        await clients.StartAsync(CancellationToken.None);
        await time.TimerArmedAsync(StalledClients.Interval);

        time.Advance(StalledClients.Interval);

        await Eventually.TrueAsync(() => stalled.Aborts == 1, "aborted");
        Assert.Equal(0, slow.Aborts);
        await clients.StopAsync(CancellationToken.None);
    }
}
