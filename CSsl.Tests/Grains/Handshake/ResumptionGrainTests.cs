using CSsl.Grains.Handshake;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Grains.Handshake;

public sealed class ResumptionGrainTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeState<ResumptionState> _state = new();

    [Fact]
    public async Task Session_is_found_until_it_expires()
    {
        await NewGrain().Store(NewSession(), CancellationToken.None);

        var grain = NewGrain();
        Assert.Equal([1, 2, 3], (await grain.Find(CancellationToken.None)).ToArray());
        _time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.Equal([1, 2, 3], (await grain.Find(CancellationToken.None)).ToArray());
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True((await grain.Find(CancellationToken.None)).IsEmpty);
    }

    [Fact]
    public async Task Session_that_was_removed_is_not_found()
    {
        var grain = NewGrain();
        await grain.Store(NewSession(), CancellationToken.None);
        await grain.Remove(CancellationToken.None);
        Assert.True((await grain.Find(CancellationToken.None)).IsEmpty);
        Assert.False(_state.RecordExists);
    }

    [Fact]
    public async Task Unknown_session_is_not_found_and_its_removal_writes_nothing()
    {
        var grain = NewGrain();
        Assert.True((await grain.Find(CancellationToken.None)).IsEmpty);
        await grain.Remove(CancellationToken.None);
        Assert.Equal(0, _state.Writes);
    }

    private ResumptionGrain NewGrain() => new(_state, _time);

    private StoredSession NewSession() => new() { Sealed = new byte[] { 1, 2, 3 }, ExpiresAt = _time.GetUtcNow() + TimeSpan.FromHours(1) };
}
