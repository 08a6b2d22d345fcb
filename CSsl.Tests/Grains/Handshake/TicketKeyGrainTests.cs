using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using CSsl.Tls.Handshake;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Orleans.Storage;
using Xunit;

namespace CSsl.Tests.Grains.Handshake;

public sealed class TicketKeyGrainTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeState<TicketKeyState> _state = new();
    private readonly IGrainContext _context = FakeGrainContext.New();
    private readonly ResumptionOptions _options = new();
    private readonly string _keyFile = ClusterKeyRing.Generate("test");
    private readonly SharedKeyRing _keys;
    private readonly Sealer _sealer;

    public TicketKeyGrainTests()
    {
        _keys = new SharedKeyRing(ClusterKeyRing.Parse(_keyFile));
        _sealer = new Sealer(_keys);
    }

    public void Dispose() => _sealer.Dispose();

    [Fact]
    public async Task First_keys_are_random_and_stored_before_they_are_shown()
    {
        using var grain = await ActivateAsync();

        var answer = await grain.GetKeys(CancellationToken.None);

        using var ring = Open(answer);
        Assert.Equal((2, 1), (ring.Keys.Count, answer.Issuing));
        _state.State = new TicketKeyState();
        using var otherCluster = await ActivateAsync();
        using var other = Open(await otherCluster.GetKeys(CancellationToken.None));
        Assert.False(ring.Keys[1].Bytes.SequenceEqual(other.Keys[1].Bytes));
        Assert.Equal(2, _state.Writes);
    }

    [Fact]
    public async Task Stored_and_shown_keys_are_sealed()
    {
        using var grain = await ActivateAsync();
        var answer = await grain.GetKeys(CancellationToken.None);

        using var ring = Open(answer);
        foreach (var key in ring.Keys)
        {
            Assert.Equal(-1, _state.State.Ring.AsSpan().IndexOf(key.Bytes[..16]));
            Assert.Equal(-1, answer.Ring.Span.IndexOf(key.Bytes[..16]));
        }
    }

    [Fact]
    public async Task Keys_are_rotated_on_schedule_without_being_asked_for_and_shown_before_they_are_issued_under()
    {
        using var grain = await ActivateAsync();
        _time.Advance(_options.TicketKeyLead);
        var first = await grain.GetKeys(CancellationToken.None);
        Assert.Equal(0, first.Issuing);
        Assert.Equal(1, _state.Writes);

        _time.Advance(_options.TicketKeyRotation - _options.TicketKeyLead);
        Assert.Equal(2, _state.Writes);
        var shown = await grain.GetKeys(CancellationToken.None);
        _time.Advance(_options.TicketKeyLead);
        var issued = await grain.GetKeys(CancellationToken.None);

        Assert.Equal(2, _state.Writes);
        Assert.Equal((1, 0), (shown.Issuing, issued.Issuing));
        Assert.Equal(shown.Ring.ToArray(), issued.Ring.ToArray());
    }

    [Fact]
    public async Task Asking_for_keys_does_not_rotate_them()
    {
        using var grain = await ActivateAsync(timers: new FakeTimeProvider());
        var before = await grain.GetKeys(CancellationToken.None);
        _time.Advance(_options.TicketKeyRotation);
        Assert.Equal(before.Ring.ToArray(), (await grain.GetKeys(CancellationToken.None)).Ring.ToArray());
        Assert.Equal(1, _state.Writes);
    }

    [Fact]
    public async Task Keys_that_were_due_while_nobody_had_the_grain_are_rotated_when_it_is_activated()
    {
        (await ActivateAsync()).Dispose();
        var later = new FakeTimeProvider(_time.GetUtcNow() + _options.TicketKeyRotation);
        using var grain = await ActivateAsync(later);
        Assert.Equal(2, _state.Writes);
    }

    [Fact]
    public async Task Next_activation_goes_on_with_the_stored_keys()
    {
        using var grain = await ActivateAsync();
        var before = await grain.GetKeys(CancellationToken.None);

        using var next = await ActivateAsync();
        var after = await next.GetKeys(CancellationToken.None);

        Assert.Equal(before.Ring.ToArray(), after.Ring.ToArray());
        Assert.Equal(1, _state.Writes);
    }

    [Fact]
    public async Task Keys_stay_as_they_are_while_nothing_can_be_stored_and_are_rotated_when_it_can()
    {
        using var grain = await ActivateAsync();
        var before = await grain.GetKeys(CancellationToken.None);
        _state.Failure = new TimeoutException("no database");
        _time.Advance(_options.TicketKeyRotation);

        var during = await grain.GetKeys(CancellationToken.None);
        Assert.Equal(before.Ring.ToArray(), during.Ring.ToArray());
        Assert.Equal(0, during.Issuing);

        _state.Failure = null;
        _time.Advance(_options.TicketKeyRefresh);
        Assert.NotEqual(before.Ring.ToArray(), (await grain.GetKeys(CancellationToken.None)).Ring.ToArray());
    }

    [Fact]
    public async Task Nothing_is_shown_that_was_never_stored()
    {
        _state.Failure = new TimeoutException("no database");
        using var grain = await ActivateAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await grain.GetKeys(CancellationToken.None));
    }

    [Fact]
    public async Task Activation_that_another_one_has_overtaken_leaves()
    {
        using var grain = await ActivateAsync();
        var before = await grain.GetKeys(CancellationToken.None);
        _state.Failure = new InconsistentStateException("written by another");
        Assert.False(FakeGrainContext.HasLeft(_context));

        _time.Advance(_options.TicketKeyRotation);

        Assert.True(FakeGrainContext.HasLeft(_context));
        Assert.Equal(before.Ring.ToArray(), (await grain.GetKeys(CancellationToken.None)).Ring.ToArray());
    }

    [Fact]
    public async Task Activation_that_loses_the_race_for_the_first_keys_does_not_come_about()
    {
        _state.Failure = new InconsistentStateException("written by another");
        await Assert.ThrowsAsync<InconsistentStateException>(() => ActivateAsync());
    }

    [Fact]
    public async Task Keys_sealed_under_a_lost_key_are_replaced()
    {
        using var lost = new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("test"))));
        _state.State.Ring = lost.Seal(TicketKeyRing.Purpose, new byte[100]);
        using var grain = await ActivateAsync();
        Open(await grain.GetKeys(CancellationToken.None)).Dispose();
    }

    [Fact]
    public async Task Keys_outlive_the_sealing_key_that_they_were_stored_under()
    {
        using var grain = await ActivateAsync();
        using var before = Open(await grain.GetKeys(CancellationToken.None));
        var added = ClusterKeyRing.Generate("new");
        _keys.Replace(ClusterKeyRing.Parse(added + _keyFile));
        _time.Advance(_options.TicketKeyRefresh);
        _keys.Replace(ClusterKeyRing.Parse(added));

        // One that starts now has the new key only.
        using var restarted = await ActivateAsync();
        using var after = Open(await restarted.GetKeys(CancellationToken.None));
        Assert.Equal(before.Keys.Select(static key => Convert.ToHexString(key.Bytes)), after.Keys.Select(static key => Convert.ToHexString(key.Bytes)));
        Assert.Equal(2, _state.Writes);
    }

    private async Task<TicketKeyGrain> ActivateAsync(TimeProvider? time = null, TimeProvider? timers = null)
    {
        var grain = new TicketKeyGrain(_context, new FakeTimers(timers ?? time ?? _time), _state, _sealer, Options.Create(_options), time ?? _time, NullLogger<TicketKeyGrain>.Instance);
        await grain.OnActivateAsync(CancellationToken.None);
        return grain;
    }

    private TicketKeyRing Open(TicketKeyAnswer answer)
    {
        using var encoded = _sealer.Open(TicketKeyRing.Purpose, answer.Ring.Span);
        return TicketKeyRing.Decode(encoded.Span);
    }
}
