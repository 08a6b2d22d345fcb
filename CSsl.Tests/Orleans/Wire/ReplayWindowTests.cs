using CSsl.EmbeddedCluster.Wire;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Orleans.Wire;

public sealed class ReplayWindowTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Nonce_is_taken_once()
    {
        var window = new ReplayWindow(_time);
        var nonce = Guid.NewGuid();

        Assert.True(window.TryTake(Now, nonce));
        Assert.False(window.TryTake(Now, nonce));
        Assert.True(window.TryTake(Now, Guid.NewGuid()));
    }

    [Theory]
    [InlineData(-10_001, false)]
    [InlineData(-10_000, true)]
    [InlineData(10_000, true)]
    [InlineData(10_001, false)]
    public void Time_is_accepted_when_it_is_near(int offset, bool accepted)
        => Assert.Equal(accepted, new ReplayWindow(_time).TryTake(Now + offset, Guid.NewGuid()));

    [Fact]
    public void Nonce_is_remembered_for_as_long_as_its_time_is_accepted()
    {
        // Whenever in a period it comes, and however far in the future its time is.
        for (var start = 0; start < 20; start++)
        {
            var window = new ReplayWindow(_time);
            _time.Advance(TimeSpan.FromSeconds(start));
            var (stamp, nonce) = (Now + 10_000, Guid.NewGuid());
            Assert.True(window.TryTake(stamp, nonce));
            for (var second = 0; second < 45; second++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                window.TryTake(Now, Guid.NewGuid());
                Assert.False(window.TryTake(stamp, nonce));
            }
        }
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();
}
