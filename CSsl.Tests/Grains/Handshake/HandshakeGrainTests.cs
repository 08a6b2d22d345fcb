using System.Text;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Handshake;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Grains.Handshake;

public sealed class HandshakeGrainTests : IDisposable
{
    private const string SealingKeys = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    private static readonly byte[] SessionId = [.. Enumerable.Range(1, 32).Select(static i => (byte)i)];
    private static readonly byte[] HelloWithSession = new HelloBuilder { SessionId = SessionId }.Records();
    private static readonly byte[] Hello = new HelloBuilder().ServerName("Example.com").Alpn("h2").Records();

    private readonly SteppedTimeProvider _time = new();
    private readonly IGrainContext _context = FakeGrainContext.New();
    private readonly TestMeters _meters = new();
    private readonly Sealer _sealer = new(new SharedKeyRing(ClusterKeyRing.Parse(SealingKeys)));
    private readonly HandshakeMetrics _metrics;

    public HandshakeGrainTests() => _metrics = new HandshakeMetrics(_meters);

    public void Dispose()
    {
        _sealer.Dispose();
        _meters.Dispose();
    }

    [Fact]
    public void Advance_completes_with_a_capsule_that_opens_under_its_session_id_only()
    {
        var handshakes = Script(static h => h.NeedMore("server hello"), static h => h.Complete("finished"));
        var lane = NewLane(handshakes);
        var id = Guid.NewGuid();

        var first = Advance(lane, id, Hello);
        Assert.Equal("server hello", Text(first));
        Assert.Equal(Hello.Length, first.Consumed);
        Assert.Null(first.Established);
        Assert.Equal("example.com", Assert.Single(handshakes.Made).Hello.ServerName);
        Assert.Equal(1, _metrics.InFlight);

        var last = Advance(lane, id, [20, 3, 3, 0, 1, 1]);
        Assert.Equal("finished", Text(last));
        Assert.Equal(6, last.Consumed);
        var session = Assert.IsType<Established>(last.Established);
        using var opened = _sealer.Open(session.Capsule.Span, session.SessionId);
        Assert.Equal(session.CipherSuite, opened.CipherSuite);
        Assert.Equal(session.ClientSequence, opened.ClientSequence);
        Assert.Equal("data-7", opened.DataSilo);
        Assert.Throws<SealedSessionException>(() => _sealer.Open(session.Capsule.Span, Guid.NewGuid()));
        Assert.True(handshakes.Made[0].IsDisposed);
        Assert.Equal((0, 1L), (_metrics.InFlight, _metrics.Completed));
    }

    [Fact]
    public async Task Handshakes_end_with_their_lane()
    {
        var handshakes = Script(static h => h.NeedMore("server hello"));
        var lane = NewLane(handshakes);
        Assert.Equal(1, _metrics.Lanes);
        Advance(lane, Guid.NewGuid(), Hello);

        await lane.OnDeactivateAsync(new DeactivationReason(DeactivationReasonCode.ShuttingDown, "over"), CancellationToken.None);

        Assert.True(Assert.Single(handshakes.Made).IsDisposed);
        Assert.Equal((0, 0), (_metrics.InFlight, _metrics.Lanes));
    }

    [Fact]
    public async Task A_retired_lane_begins_no_handshake_and_leaves()
    {
        var handshakes = Script(static h => h.NeedMore("server hello"), static h => h.Complete("finished"));
        var lane = NewLane(handshakes);
        var underWay = Guid.NewGuid();
        Advance(lane, underWay, Hello);
        Assert.False(FakeGrainContext.HasLeft(_context));

        await lane.Retire(CancellationToken.None);

        Assert.True(FakeGrainContext.HasLeft(_context));
        Assert.Contains("closed", Advance(lane, Guid.NewGuid(), Hello).Error, StringComparison.Ordinal);
        Assert.NotNull(Advance(lane, underWay, [20, 3, 3, 0, 1, 1]).Established);
    }

    [Fact]
    public void A_call_that_activates_a_lane_without_keys_is_refused_and_the_lane_leaves()
    {
        var handshakes = new ScriptedHandshakes { IsOpen = false };
        var answer = Advance(NewLane(handshakes), Guid.NewGuid(), Hello);

        Assert.Contains("closed", answer.Error, StringComparison.Ordinal);
        Assert.Equal((byte)AlertDescription.InternalError, answer.Flight.Span[6]);
        Assert.True(FakeGrainContext.HasLeft(_context));
        Assert.Equal((0, 1L), (_metrics.InFlight, _metrics.Failed));
    }

    [Fact]
    public void Advance_keeps_two_interleaved_connections_apart()
    {
        var handshakes = Script(static h => h.NeedMore("hello for " + h.Hello.ServerName), static h => h.Complete("done for " + h.Hello.ServerName));
        var lane = NewLane(handshakes);
        var (a, b) = (Guid.NewGuid(), Guid.NewGuid());

        Assert.Equal("hello for a.example", Text(Advance(lane, a, HelloFor("a.example"))));
        Assert.Equal("hello for b.example", Text(Advance(lane, b, HelloFor("b.example"))));
        var doneA = Advance(lane, a, [20, 3, 3, 0, 1, 1]);
        var doneB = Advance(lane, b, [20, 3, 3, 0, 1, 1]);

        Assert.Equal("done for a.example", Text(doneA));
        Assert.Equal("done for b.example", Text(doneB));
        Assert.NotEqual(doneA.Established!.SessionId, doneB.Established!.SessionId);
    }

    [Fact]
    public void Advance_takes_the_longest_hello_in_one_call()
    {
        var handshakes = Script(static h => h.NeedMore("server hello"));
        var records = HelloBuilder.Records(HelloBuilder.Longest(), 1 << 14);

        var answer = Advance(NewLane(handshakes), Guid.NewGuid(), records);

        Assert.Equal(("server hello", records.Length), (Text(answer), answer.Consumed));
        Assert.Equal(records, Assert.Single(handshakes.Made).LastInput);
    }

    [Fact]
    public void Advance_refuses_a_part_of_a_hello()
    {
        var handshakes = Script(static h => h.NeedMore("server hello"));

        var answer = Advance(NewLane(handshakes), Guid.NewGuid(), new HelloBuilder().Records(fragmentLength: 10)[..15]);

        Assert.NotNull(answer.Error);
        Assert.Equal((byte)AlertDescription.InternalError, answer.Flight.Span[6]);
        Assert.Empty(handshakes.Made);
        Assert.Equal(0, _metrics.InFlight);
    }

    [Fact]
    public void Advance_fails_with_an_alert_when_the_first_record_is_no_hello()
    {
        var lane = NewLane(Script(static h => h.NeedMore("")));

        var answer = Advance(lane, Guid.NewGuid(), [22, 3, 3, 0, 4, 2, 0, 0, 0]);

        Assert.NotNull(answer.Error);
        Assert.Equal([21, 3, 3, 0, 2, 2], answer.Flight[..6].ToArray());
        Assert.Equal((0, 1L), (_metrics.InFlight, _metrics.Failed));
    }

    [Fact]
    public void Advance_passes_on_the_alert_and_the_cause_of_a_handshake_that_failed()
    {
        var handshakes = Script(static h => h.Fail("alert", "no shared cipher", HandshakeFailure.NoSharedCipherSuite));
        var lane = NewLane(handshakes);

        var answer = Advance(lane, Guid.NewGuid(), Hello);

        Assert.Equal(("alert", "no shared cipher", HandshakeFailure.NoSharedCipherSuite), (Text(answer), answer.Error, answer.Failure));
        Assert.True(handshakes.Made[0].IsDisposed);
        Assert.Equal(0, _metrics.InFlight);
    }

    [Fact]
    public void Advance_fails_a_handshake_of_which_our_own_code_throws()
    {
        var handshakes = Script(static _ => throw new InvalidOperationException("ours"));
        var lane = NewLane(handshakes);

        var answer = Advance(lane, Guid.NewGuid(), Hello);

        Assert.Contains("ours", answer.Error, StringComparison.Ordinal);
        Assert.True(handshakes.Made[0].IsDisposed);
        Assert.Equal(0, _metrics.InFlight);
    }

    [Fact]
    public void Advance_fails_after_the_deadline()
    {
        var handshakes = Script(static h => h.NeedMore("server hello"));
        var lane = NewLane(handshakes);
        var id = Guid.NewGuid();
        Advance(lane, id, Hello, TimeSpan.FromSeconds(0.8));

        // Before the next sweep.
        _time.Advance(TimeSpan.FromSeconds(0.9));
        var answer = Advance(lane, id, [20, 3, 3, 0, 1, 1]);

        Assert.Contains("too long", answer.Error, StringComparison.Ordinal);
        Assert.True(handshakes.Made[0].IsDisposed);
        Assert.Equal(0, _metrics.InFlight);
    }

    [Theory]
    [InlineData(+3600)]
    [InlineData(-3600)]
    public void A_step_of_the_wall_clock_neither_ends_a_handshake_nor_prolongs_it(int seconds)
    {
        var handshakes = Script(static h => h.NeedMore("server hello"));
        var lane = NewLane(handshakes);
        var id = Guid.NewGuid();
        Advance(lane, id, Hello, TimeSpan.FromSeconds(10));

        _time.Step = TimeSpan.FromSeconds(seconds);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Null(Advance(lane, id, [20, 3, 3, 0, 1, 1]).Error);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, _metrics.InFlight);
    }

    [Fact]
    public void Handshakes_that_nobody_abandons_end_at_their_deadline_without_another_call()
    {
        // As when the call that was to abandon them failed, and the silo, which drains, gets no others.
        var handshakes = Script(static h => h.NeedMore("server hello"));
        var lane = NewLane(handshakes);
        for (var i = 0; i < 5; i++)
            Advance(lane, Guid.NewGuid(), Hello, TimeSpan.FromSeconds(10));

        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(5, _metrics.InFlight);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.All(handshakes.Made, static handshake => Assert.True(handshake.IsDisposed));
        Assert.Equal((0, 5L), (_metrics.InFlight, _metrics.Failed));
    }

    [Fact]
    public void A_full_lane_refuses_new_handshakes_and_goes_on_with_its_own()
    {
        var handshakes = Script(static h => h.NeedMore("server hello"), static h => h.Complete("finished"));
        var lane = NewLane(handshakes, concurrentHandshakes: 4);
        var capacity = HandshakeGrain.CapacityOf(concurrentHandshakes: 4, lanes: 1);
        var first = Guid.NewGuid();
        Advance(lane, first, Hello);
        for (var i = 1; i < capacity; i++)
            Assert.Null(Advance(lane, Guid.NewGuid(), Hello).Error);

        var refused = Advance(lane, Guid.NewGuid(), Hello);

        Assert.NotNull(refused.Error);
        Assert.Equal((byte)AlertDescription.InternalError, refused.Flight.Span[6]);
        Assert.NotNull(Advance(lane, first, [20, 3, 3, 0, 1, 1]).Established);
        Assert.Null(Advance(lane, Guid.NewGuid(), Hello).Error);
    }

    [Fact]
    public void A_client_that_sends_more_than_a_handshake_may_hold_is_refused()
    {
        var handshakes = Script(static h => h.NeedMore(""));
        var lane = NewLane(handshakes);
        var id = Guid.NewGuid();
        Advance(lane, id, Hello);
        var record = new byte[16 * 1024];

        HandshakeAnswer answer;
        var sent = Hello.Length;
        do
        {
            answer = Advance(lane, id, record);
            sent += record.Length;
        }
        while (answer.Error is null);

        Assert.InRange(sent, new LimitsOptions().HandshakeBytes, new LimitsOptions().HandshakeBytes + record.Length);
        Assert.True(handshakes.Made[0].IsDisposed);
    }

    [Fact]
    public void Abandon_forgets_the_connection_and_may_come_twice()
    {
        var handshakes = Script(static h => h.NeedMore("server hello"));
        var lane = NewLane(handshakes);
        var id = Guid.NewGuid();
        Advance(lane, id, Hello);

        lane.Abandon(id);
        lane.Abandon(id);

        Assert.True(handshakes.Made[0].IsDisposed);
        Assert.Equal((0, 1L), (_metrics.InFlight, _metrics.Failed));
    }

    [Fact]
    public void Client_that_asks_for_a_session_waits_for_it_while_the_lane_goes_on()
    {
        var handshakes = new ScriptedHandshakes { ResumesById = true, Steps = new([static h => h.NeedMore("server hello")]) };
        var lane = NewLane(handshakes);
        var id = Guid.NewGuid();

        var waiting = Advance(lane, id, HelloWithSession);
        Assert.Equal(SessionId, waiting.WantedSession.ToArray());
        Assert.Equal((0, 0), (waiting.Consumed, waiting.Flight.Length));
        Assert.Empty(handshakes.Made);
        Assert.Equal("server hello", Text(Advance(lane, Guid.NewGuid(), Hello)));

        var sealedSession = _sealer.Seal(ResumableSession.Purpose, "stored"u8, SessionId);
        var answer = lane.Resume(id, sealedSession);

        Assert.Equal("server hello", Text(answer));
        Assert.Equal(HelloWithSession.Length, answer.Consumed);
        Assert.Equal("stored"u8, handshakes.Made[1].Stored);
        Assert.Equal(HelloWithSession, handshakes.Made[1].LastInput);
    }

    [Fact]
    public void Session_that_does_not_open_is_none()
    {
        var handshakes = new ScriptedHandshakes { ResumesById = true, Steps = new([static h => h.NeedMore("server hello")]) };
        var lane = NewLane(handshakes);
        var id = Guid.NewGuid();
        Advance(lane, id, HelloWithSession);
        var ofAnother = _sealer.Seal(ResumableSession.Purpose, "stored"u8, new byte[32]);

        var answer = lane.Resume(id, ofAnother);

        Assert.Null(answer.Error);
        Assert.Empty(Assert.Single(handshakes.Made).Stored);
    }

    [Fact]
    public void Session_under_which_a_handshake_failed_is_invalidated()
    {
        var handshakes = new ScriptedHandshakes { ResumesById = true, Steps = new([static h => h.Fail("alert", "bad finished")]) };
        var lane = NewLane(handshakes);
        var (with, without) = (Guid.NewGuid(), Guid.NewGuid());
        Advance(lane, with, HelloWithSession);
        Advance(lane, without, HelloWithSession);
        var session = _sealer.Seal(ResumableSession.Purpose, "stored"u8, SessionId);

        Assert.Equal(SessionId, lane.Resume(with, session).InvalidatedSession.ToArray());
        Assert.True(lane.Resume(without, default).InvalidatedSession.IsEmpty);
    }

    [Fact]
    public void Nothing_goes_on_that_does_not_wait()
    {
        var handshakes = new ScriptedHandshakes { ResumesById = true, Steps = new([static h => h.NeedMore("server hello")]) };
        var lane = NewLane(handshakes);
        var (late, impatient) = (Guid.NewGuid(), Guid.NewGuid());
        Advance(lane, late, HelloWithSession, TimeSpan.FromSeconds(1));
        Advance(lane, impatient, HelloWithSession);
        Assert.NotNull(Advance(lane, impatient, [20, 3, 3, 0, 1, 1]).Error);
        Assert.NotNull(lane.Resume(impatient, default).Error);

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(lane.Resume(late, default).Error);
        Assert.Empty(handshakes.Made);
        Assert.Equal(0, _metrics.InFlight);
    }

    [Fact]
    public void Session_that_was_made_leaves_the_lane_sealed_and_bound_to_its_id()
    {
        byte[] content = [1, 2, 3, 4, 5, 6, 7, 8];
        var handshakes = Script(h =>
        {
            h.Resumable = new ResumableSession(SessionId, new SecretBytes(content));
            return h.Complete("finished");
        });

        var record = Assert.IsType<ResumptionRecord>(Advance(NewLane(handshakes), Guid.NewGuid(), Hello).Resumption);

        Assert.Equal(SessionId, record.Id.ToArray());
        Assert.Equal(-1, record.Sealed.Span.IndexOf(content));
        using var opened = _sealer.Open(ResumableSession.Purpose, record.Sealed.Span, SessionId);
        Assert.Equal(content, opened.Span);
    }

    private HandshakeGrain NewLane(ScriptedHandshakes handshakes, int concurrentHandshakes = 1000)
    {
        var lane = new HandshakeGrain(
            _context,
            new FakeTimers(_time),
            handshakes,
            _sealer,
            Options.Create(new SiloOptions { Lanes = 1 }),
            Options.Create(new LimitsOptions { ConcurrentHandshakes = concurrentHandshakes }),
            new HandshakeLanes(FakeGrains.Of(static _ => throw new NotSupportedException()), Options.Create(new SiloOptions { Lanes = 1 }), _metrics),
            _time,
            NullLogger<HandshakeGrain>.Instance);
        _ = lane.OnActivateAsync(CancellationToken.None);
        return lane;
    }

    private static ScriptedHandshakes Script(params Func<ScriptedHandshake, HandshakeStep>[] steps) => new() { Steps = new(steps) };

    // What a lane wrote is there until its next turn.
    private static HandshakeAnswer Advance(HandshakeGrain lane, Guid id, byte[] records, TimeSpan? timeLeft = null)
    {
        var answer = lane.Advance(new HandshakeRequest(id, timeLeft ?? TimeSpan.FromMinutes(1), "data-7", records));
        return answer with { Flight = answer.Flight.ToArray() };
    }

    private static byte[] HelloFor(string name) => new HelloBuilder().ServerName(name).Records();

    private static string Text(HandshakeAnswer answer) => Encoding.ASCII.GetString(answer.Flight.Span);
}
