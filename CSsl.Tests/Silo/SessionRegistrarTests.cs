using System.Net;
using CSsl.Grains.Data;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Sessions;
using CSsl.Tests.Grains.Data;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Xunit;

namespace CSsl.Tests.Silo;

[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "xunit calls DisposeAsync.")]
public sealed class SessionRegistrarTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly byte[] Capsule = [1, 2, 3];

    private readonly WatchedTimeProvider _time = new();
    private readonly SessionTable _sessions = new();
    private readonly NotingGrains _grains = new();
    private readonly SessionRegistrar _registrar;

    public SessionRegistrarTests() => _registrar = new SessionRegistrar(_sessions, new SessionClaims(FakeGrains.Of(key => _grains.Grain(key, _sessions)), new FakeSiloDetails(), new FakeMembership()), Options.Create(new SiloOptions()), _time, NullLogger<SessionRegistrar>.Instance);

    public async ValueTask InitializeAsync()
    {
        await _registrar.StartAsync(CancellationToken.None);
        await _time.TimerArmedAsync(Second);
    }

    public async ValueTask DisposeAsync()
    {
        await _registrar.StopAsync(CancellationToken.None);
        _registrar.Dispose();
    }

    [Fact]
    public async Task A_session_is_registered_when_it_is_a_second_old_and_unregistered_when_it_is_gone()
    {
        var session = NewSession();
        _sessions.Add(session);

        _time.Advance(Second);
        Assert.Equal($"attached {session.Info.SessionId}", await _grains.NextAsync());
        _sessions.Remove(session);
        session.End();
        _time.Advance(Second);
        Assert.Equal($"detached {session.Info.SessionId}", await _grains.NextAsync());
    }

    [Fact]
    public async Task A_session_that_has_its_grain_costs_no_call_until_it_says_that_it_changed_or_lost_it()
    {
        var session = NewSession();
        _sessions.Add(session);
        _time.Advance(Second);
        Assert.Equal($"attached {session.Info.SessionId}", await _grains.NextAsync());
        await _time.TimerArmedAsync(Second);

        for (var i = 0; i < 100; i++)
            _time.Advance(Second);
        var later = NewSession();
        _sessions.Add(later);
        _time.Advance(Second);
        Assert.Equal($"attached {later.Info.SessionId}", await _grains.NextAsync());
        Assert.True(_grains.IsQuiet);

        // As its grain does when Orleans deactivates it.
        session.IsRegistered = false;
        _time.Advance(Second);
        Assert.Equal($"attached {session.Info.SessionId}", await _grains.NextAsync());
    }

    [Fact]
    public async Task A_session_that_is_over_before_costs_no_call()
    {
        var shortLived = NewSession();
        _sessions.Add(shortLived);
        _sessions.Remove(shortLived);
        var later = NewSession();
        _sessions.Add(later);

        _time.Advance(Second);

        Assert.Equal($"attached {later.Info.SessionId}", await _grains.NextAsync());
        Assert.True(_grains.IsQuiet);
    }

    [Fact]
    public async Task A_cluster_that_can_not_be_reached_is_asked_again()
    {
        var session = NewSession();
        _sessions.Add(session);
        _grains.Failure = new TimeoutException("no answer");
        _time.Advance(Second);
        Assert.Equal("failed", await _grains.NextAsync());

        _grains.Failure = null;
        _time.Advance(Second);

        Assert.Equal($"attached {session.Info.SessionId}", await _grains.NextAsync());
    }

    private FakeSession NewSession() => new(FakeSession.NewInfo("s1", _time.GetUtcNow())) { Capsule = Capsule };

    /// <summary>Session grains that note what they are told.</summary>
    private sealed class NotingGrains
    {
        private readonly System.Threading.Channels.Channel<string> _calls = System.Threading.Channels.Channel.CreateUnbounded<string>();

        public Exception? Failure { get; set; }

        public bool IsQuiet => !_calls.Reader.TryPeek(out _);

        public Task<string> NextAsync() => _calls.Reader.ReadAsync().AsTask().WaitAsync(TestSilo.Patience);

        public object Grain(object key, SessionTable sessions) => new NotingGrain(this, sessions, (Guid)key);

        private void Note(string call)
        {
            _calls.Writer.TryWrite(Failure is null ? call : "failed");
            if (Failure is { } failure)
                throw failure;
        }

        private sealed class NotingGrain(NotingGrains grains, SessionTable sessions, Guid key) : ISessionGrain
        {
            public ValueTask<AttachVerdict> Attached(AwakeSession session, CancellationToken cancellationToken)
            {
                Assert.Equal(FakeSiloDetails.Address, RequestContext.Get(IPlacementDirector.PlacementHintKey));
                Assert.Equal(Capsule, session.Capsule.ToArray());
                grains.Note($"attached {key}");
                if (sessions.TryGet(key, out var served))
                    served.IsRegistered = true;
                return ValueTask.FromResult(new AttachVerdict { IsGranted = true });
            }

            public ValueTask Detached(SessionInfo info, CancellationToken cancellationToken)
            {
                grains.Note($"detached {key}");
                return ValueTask.CompletedTask;
            }

            public ValueTask<SessionInfo?> Find(CancellationToken cancellationToken) => throw new NotSupportedException();

            public ValueTask<bool> End(CancellationToken cancellationToken) => throw new NotSupportedException();

            public ValueTask<SessionMove> Move(string silo, CancellationToken cancellationToken) => throw new NotSupportedException();
        }
    }

    private sealed class FakeSiloDetails : ILocalSiloDetails
    {
        public static readonly SiloAddress Address = SiloAddress.New(IPAddress.Loopback, 7000, 1);

        public string Name => "s1";

        public string ClusterId => "test";

        public string DnsHostName => "localhost";

        public SiloAddress SiloAddress => Address;

        public SiloAddress GatewayAddress => Address;
    }
}
