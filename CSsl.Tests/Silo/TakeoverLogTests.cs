using CSsl.Grains.Data;
using CSsl.Link;
using CSsl.Silo.Sessions;
using CSsl.Silo.Transport;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class TakeoverLogTests
{
    [Fact]
    public async Task Line_tells_what_came_since_the_last_one()
    {
        using var meters = new TestMeters();
        var metrics = new DataMetrics(meters, new SessionTable());
        metrics.Attached(AttachCause.Takeover);
        var time = new WatchedTimeProvider();
        var lines = new RecordingLogger<TakeoverLog>();
        using var log = new TakeoverLog(metrics, time, lines);
        await log.StartAsync(default);
        await time.TimerArmedAsync();

        time.Advance(TakeoverLog.Interval);
        metrics.Attached(AttachCause.Takeover);
        metrics.Attached(AttachCause.Wake);
        metrics.CountReplayed();
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TakeoverLog.Interval);
                return lines.Lines.Count > 0;
            },
            "a line");
        await log.StopAsync(default);

        Assert.Equal(["took over 1 sessions of lost silos; requests of theirs: 1 served again, 0 resumed by range, 0 answered already, 0 refused with 502"], lines.Lines.Select(static line => line.Message));
    }
}
