using CSsl.Hosting.Configuration;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Hosting.Configuration;

public sealed class SettingValueTests
{
    [Theory]
    [InlineData("10s", 10_000)]
    [InlineData("500ms", 500)]
    [InlineData("2m", 120_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("10 s", 10_000)]
    [InlineData(" 0s ", 0)]
    [InlineData("00:00:10", 10_000)]
    [InlineData("1.00:00:00", 86_400_000)]
    [InlineData("00:00:00.25", 250)]
    public void Time_is_read_with_its_unit(string text, int milliseconds)
    {
        Assert.True(SettingValue.TryParseTime(text, out var time));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("10S")]
    [InlineData("10sec")]
    [InlineData("-1s")]
    [InlineData("-00:00:10")]
    [InlineData("1e3s")]
    [InlineData("1s2")]
    [InlineData("99999999999999d")]
    [InlineData("25:61:00")]
    public void What_is_not_a_time_is_refused(string text) => Assert.False(SettingValue.TryParseTime(text, out _));

    [Fact]
    public void Any_text_is_a_time_or_refused_and_never_throws()
        => Prop.ForAll<string?>(text => !SettingValue.TryParseTime(text ?? "", out var time) || time >= TimeSpan.Zero).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_time_survives_the_way_through_its_text()
        => Prop.ForAll<int>(milliseconds =>
        {
            var time = TimeSpan.FromMilliseconds(Math.Abs((long)milliseconds));
            return SettingValue.TryParseTime($"{time.TotalMilliseconds:0}ms", out var parsed) && parsed == time
                && SettingValue.TryParseTime(SettingValue.Normalize(time) is var text && text.Contains(':', StringComparison.Ordinal) ? text : "", out parsed) && parsed == time;
        }).QuickCheckThrowOnFailure();
}
