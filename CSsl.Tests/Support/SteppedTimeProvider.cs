using Microsoft.Extensions.Time.Testing;

namespace CSsl.Tests.Support;

/// <summary>A fake clock whose wall time can be set, as NTP does: timestamps and timers go on as if nothing had happened.</summary>
public sealed class SteppedTimeProvider : FakeTimeProvider
{
    /// <summary>How far the wall clock was set forward, or back.</summary>
    public TimeSpan Step { get; set; }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Step;

    /// <inheritdoc/>
    public override long GetTimestamp() => base.GetUtcNow().Ticks;
}
