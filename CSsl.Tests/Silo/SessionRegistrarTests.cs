using CSsl.Grains.Data;
using CSsl.Silo.Sessions;
using CSsl.Tests.Grains.Data;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace CSsl.Tests.Silo;

[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "xunit calls DisposeAsync.")]
public sealed class SessionRegistrarTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly WatchedTimeProvider _time = new();
    private readonly SessionTable _sessions = new();
    private readonly NotingGrains _grains = new();
    private readonly SessionRegistrar _registrar;

    public SessionRegistrarTests() => _registrar = new SessionRegistrar(_sessions, FakeGrains.Of(_grains.Grain), _time, NullLogger<SessionRegistrar>.Instance);

    public async Task InitializeAsync()
    {
        await _registrar.StartAsync(CancellationToken.None);
        await _time.TimerArmedAsync(Second);
    }

    public async Task DisposeAsync()
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
        _time.Advance(Second);
        Assert.Equal($"detached {session.Info.SessionId}", await _grains.NextAsync());
    }

    [Fact]
    public async Task A_session_that_stays_is_registered_again_every_minute_whatever_became_of_its_grain()
    {
        var session = NewSession();
        _sessions.Add(session);
        _time.Advance(Second);
        Assert.Equal($"attached {session.Info.SessionId}", await _grains.NextAsync());

        _time.Advance(SessionRegistrar.Renewal - Second);
        var later = NewSession();
        _sessions.Add(later);
        Assert.True(_grains.IsQuiet);
        _time.Advance(Second);

        string[] calls = [await _grains.NextAsync(), await _grains.NextAsync()];
        Assert.Equal(new[] { session, later }.Select(static s => $"attached {s.Info.SessionId}").Order(), calls.Order());
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

    private FakeSession NewSession() => new(new DataSessionInfo { SessionId = Guid.NewGuid(), Silo = "s1", Client = "203.0.113.7:50123", AttachedAt = _time.GetUtcNow() });

    /// <summary>Data grains that note what they are told.</summary>
    private sealed class NotingGrains
    {
        private readonly System.Threading.Channels.Channel<string> _calls = System.Threading.Channels.Channel.CreateUnbounded<string>();

        public Exception? Failure { get; set; }

        public bool IsQuiet => !_calls.Reader.TryPeek(out _);

        public Task<string> NextAsync() => _calls.Reader.ReadAsync().AsTask().WaitAsync(TestSilo.Patience);

        public object Grain(object key) => new NotingGrain(this, (Guid)key);

        private void Note(string call)
        {
            _calls.Writer.TryWrite(Failure is null ? call : "failed");
            if (Failure is { } failure)
                throw failure;
        }

        private sealed class NotingGrain(NotingGrains grains, Guid key) : IDataGrain
        {
            public ValueTask<bool> Attached(DataSessionInfo info, CancellationToken cancellationToken)
            {
                grains.Note($"attached {key}");
                return ValueTask.FromResult(true);
            }

            public ValueTask Detached(DataSessionInfo info, CancellationToken cancellationToken)
            {
                grains.Note($"detached {key}");
                return ValueTask.CompletedTask;
            }

            public ValueTask<DataSessionInfo?> Find(CancellationToken cancellationToken) => throw new NotSupportedException();

            public ValueTask<bool> End(CancellationToken cancellationToken) => throw new NotSupportedException();
        }
    }
}
