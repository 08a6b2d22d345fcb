using CSsl.Grains.Data;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans;
using Orleans.Runtime;
using Orleans.TestingHost;
using Xunit;

namespace CSsl.Tests.Grains.Data;

public sealed class SessionGrainTests : IAsyncLifetime
{
    private readonly SessionTable _sessions = new();
    private InProcessTestCluster _cluster = null!;

    private IGrainFactory Grains => _cluster.Client;

    private string SiloName => _cluster.Silos[0].ServiceProvider.GetRequiredService<ILocalSiloDetails>().Name;

    public async ValueTask InitializeAsync() => _cluster = await GrainCluster.StartAsync(1, silo => silo.Services.AddSingleton(_sessions));

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task A_session_that_is_attached_is_found_and_can_be_ended()
    {
        var session = new FakeSession(FakeSession.NewInfo(SiloName));
        _sessions.Add(session);
        var grain = Grains.GetGrain<ISessionGrain>(session.Info.SessionId);

        await grain.Attached(session.Awake, CancellationToken.None);

        Assert.True(session.IsRegistered);
        Assert.Equal(session.Info, await grain.Find(CancellationToken.None));
        Assert.True(await grain.End(CancellationToken.None));
        Assert.Equal(1, session.CloseRequests);
        Assert.Equal(SessionMove.UnderWay, await grain.Move("s2", CancellationToken.None));
        Assert.Equal("s2", session.MovesTo);
    }

    [Fact]
    public async Task A_session_that_was_detached_is_not_found()
    {
        var session = new FakeSession(FakeSession.NewInfo(SiloName));
        _sessions.Add(session);
        var grain = Grains.GetGrain<ISessionGrain>(session.Info.SessionId);
        await grain.Attached(session.Awake, CancellationToken.None);

        _sessions.Remove(session);
        await grain.Detached(session.Info, CancellationToken.None);

        Assert.Null(await grain.Find(CancellationToken.None));
        Assert.False(await grain.End(CancellationToken.None));
        Assert.Equal(SessionMove.Unknown, await grain.Move("s2", CancellationToken.None));
    }

    [Fact]
    public async Task A_late_detach_does_not_undo_a_newer_attach()
    {
        var before = new FakeSession(FakeSession.NewInfo(SiloName));
        var after = new FakeSession(before.Info with { AttachedAt = before.Info.AttachedAt!.Value.AddSeconds(5), Generation = 2 });
        var grain = Grains.GetGrain<ISessionGrain>(before.Info.SessionId);
        _sessions.Add(before);
        await grain.Attached(before.Awake, CancellationToken.None);
        before.End();
        _sessions.Add(after);
        await grain.Attached(after.Awake, CancellationToken.None);

        await grain.Detached(before.Info, CancellationToken.None);

        Assert.Equal(after.Info, await grain.Find(CancellationToken.None));
    }

    /// <summary>It was on its way when the session had left that silo already.</summary>
    [Fact]
    public async Task A_late_word_from_where_a_session_was_does_not_move_its_grain()
    {
        var session = new FakeSession(FakeSession.NewInfo(SiloName));
        _sessions.Add(session);
        var grain = Grains.GetGrain<ISessionGrain>(session.Info.SessionId);
        await grain.Attached(session.Awake, CancellationToken.None);

        await grain.Attached(session.Awake with { Info = session.Info with { Silo = "elsewhere" } }, CancellationToken.None);

        Assert.Equal(session.Info, await grain.Find(CancellationToken.None));
    }

    [Fact]
    public async Task A_capsule_is_wiped_when_it_has_been_handed_on_and_when_the_grain_goes()
    {
        var session = new FakeSession(FakeSession.NewInfo(SiloName)) { Capsule = new byte[] { 1, 2, 3 } };
        var silo = _cluster.Silos[0].ServiceProvider.GetRequiredService<ILocalSiloDetails>();
        var grain = new SessionGrain(_sessions, silo);
        await grain.Attached(session.Awake, CancellationToken.None);
        var first = new FakeMigration();
        grain.OnDehydrate(first);
        Assert.Equal([1, 2, 3], first.Bytes);

        // The grain had a copy of its own, which is gone; the connection's capsule is not.
        var again = new FakeMigration();
        grain.OnDehydrate(again);
        Assert.Empty(again.Bytes!);
        Assert.Equal([1, 2, 3], session.Capsule.ToArray());

        var next = new SessionGrain(_sessions, silo);
        next.OnRehydrate(first);
        await next.OnDeactivateAsync(new DeactivationReason(DeactivationReasonCode.DirectoryFailure, ""), CancellationToken.None);
        var left = new FakeMigration();
        next.OnDehydrate(left);
        Assert.Empty(left.Bytes!);
    }

    [Fact]
    public void A_session_says_nothing_of_its_capsule_when_it_is_logged()
        => Assert.DoesNotContain("7, 8, 9", new FakeSession { Capsule = new byte[] { 7, 8, 9 } }.Awake.ToString(), StringComparison.Ordinal);

    [Fact]
    public void The_table_stops_a_session_whose_id_is_attached_again()
    {
        var before = new FakeSession();
        var after = new FakeSession(before.Info with { Generation = 2 });
        _sessions.Add(before);

        _sessions.Add(after);
        _sessions.Remove(before);

        Assert.Equal(1, before.Stops);
        Assert.True(_sessions.TryGet(before.Info.SessionId, out var current));
        Assert.Same(after, current);
    }

    /// <summary>It waited on a lost link while the gateway went on over a new one.</summary>
    [Fact]
    public void The_table_stops_a_session_that_comes_after_one_that_took_it_over()
    {
        var late = new FakeSession();
        var again = new FakeSession(late.Info with { Generation = 2 });
        var newer = new FakeSession(again.Info);
        Assert.True(_sessions.Add(newer));

        Assert.False(_sessions.Add(late));
        Assert.False(_sessions.Add(again));
        _sessions.Remove(late);

        Assert.Equal((1, 1, 0), (late.Stops, again.Stops, newer.Stops));
        Assert.True(_sessions.TryGet(newer.Info.SessionId, out var current));
        Assert.Same(newer, current);
    }

    [Fact]
    public void The_table_remembers_for_a_while_what_was_attached()
    {
        var time = new FakeTimeProvider();
        var table = new SessionTable(time);
        var first = new FakeSession();
        Assert.True(table.Add(first));
        table.Remove(first);

        time.Advance(RecentAttaches.Memory - TimeSpan.FromTicks(1));
        Assert.False(table.Add(new FakeSession(first.Info)));
        Assert.Equal(1u, table.LastGeneration(first.Info.SessionId));

        // It does not grow for ever.
        time.Advance(2 * RecentAttaches.Memory);
        Assert.Equal(0u, table.LastGeneration(first.Info.SessionId));
    }

    [Fact]
    public async Task An_attach_that_is_not_newer_is_refused_wherever_it_comes_from()
    {
        var session = new FakeSession(FakeSession.NewInfo(SiloName) with { Generation = 3 });
        _sessions.Add(session);
        var grain = Grains.GetGrain<ISessionGrain>(session.Info.SessionId);
        Assert.True((await grain.Attached(session.Awake, CancellationToken.None)).IsGranted);

        foreach (var generation in new uint[] { 1, 2, 3 })
            Assert.False((await grain.Attached(Elsewhere(session, generation, isTakeover: true), CancellationToken.None)).IsGranted);

        // The silo repeats itself when it has not heard the answer.
        Assert.True((await grain.Attached(session.Awake, CancellationToken.None)).IsGranted);
        Assert.Equal(0, session.Stops);
    }

    [Fact]
    public async Task A_session_that_is_served_is_stopped_for_a_takeover_only_and_before_that_is_granted()
    {
        var session = new FakeSession(FakeSession.NewInfo(SiloName)) { ClientRecords = 17 };
        _sessions.Add(session);
        var grain = Grains.GetGrain<ISessionGrain>(session.Info.SessionId);
        await grain.Attached(session.Awake, CancellationToken.None);

        Assert.False((await grain.Attached(Elsewhere(session, 2, isTakeover: false), CancellationToken.None)).IsGranted);
        Assert.Equal(0, session.Stops);

        Assert.Equal(
            new AttachVerdict { IsGranted = true, HasStoppedAnother = true, ClientRecords = 17 },
            await grain.Attached(Elsewhere(session, 3, isTakeover: true), CancellationToken.None));
        Assert.Equal(1, session.Stops);
    }

    /// <summary>Most sessions have no grain in their first second, and many never: the silo itself knows them, and those that it had a moment ago.</summary>
    [Fact]
    public async Task A_session_without_a_grain_is_found_at_its_silo()
    {
        var session = new FakeSession(FakeSession.NewInfo(SiloName) with { Generation = 2 });
        _sessions.Add(session);
        Assert.False((await Grains.GetGrain<ISessionGrain>(session.Info.SessionId).Attached(Elsewhere(session, 2, isTakeover: true), CancellationToken.None)).IsGranted);

        session.End();
        _sessions.Remove(session);
        Assert.False((await Grains.GetGrain<ISessionGrain>(session.Info.SessionId).Attached(Elsewhere(session, 1, isTakeover: false), CancellationToken.None)).IsGranted);
        Assert.True((await Grains.GetGrain<ISessionGrain>(session.Info.SessionId).Attached(Elsewhere(session, 3, isTakeover: false), CancellationToken.None)).IsGranted);
    }

    private static AwakeSession Elsewhere(FakeSession session, uint generation, bool isTakeover)
        => session.Awake with { Info = session.Info with { Silo = "elsewhere", Generation = generation }, IsTakeover = isTakeover };
}

internal sealed class FakeSession(SessionInfo? info = null) : IServedSession
{
    private volatile bool _isRegistered;
    private int _registrations;

    public SessionInfo Info { get; } = info ?? NewInfo("s1");

    public ReadOnlyMemory<byte> Capsule { get; set; } = new byte[] { 5 };

    public AwakeSession Awake => new() { Info = Info, Capsule = Capsule };

    public bool IsRegistered
    {
        get => _isRegistered;
        set
        {
            if (value && !_isRegistered)
                Interlocked.Increment(ref _registrations);
            _isRegistered = value;
        }
    }

    /// <summary>How often it got a grain.</summary>
    public int Registrations => Volatile.Read(ref _registrations);

    public bool IsTakeover { get; init; }

    public bool IsOver { get; private set; }

    public ulong ClientRecords { get; init; }

    public TimeSpan Stalled { get; set; }

    public int CloseRequests { get; private set; }

    public int Aborts { get; private set; }

    /// <summary>How often it was told that there is a newer attach.</summary>
    public int Stops { get; private set; }

    public int Drains { get; private set; }

    public string? MovesTo { get; private set; }

    public TimeSpan? HibernatesAfter { get; private set; }

    public static SessionInfo NewInfo(string silo, DateTimeOffset? attachedAt = null) => new()
    {
        SessionId = Guid.NewGuid(),
        Gateway = "g1",
        Client = "203.0.113.7:50123",
        Version = "TLSv1.3",
        CipherSuite = "TLS_AES_128_GCM_SHA256",
        Silo = silo,
        EstablishedAt = DateTimeOffset.UnixEpoch,
        AttachedAt = attachedAt ?? DateTimeOffset.UnixEpoch,
        Generation = 1,
    };

    public void RequestClose() => CloseRequests++;

    public void Drain() => Drains++;

    public void EndUpgraded()
    {
    }

    public void Hibernate(TimeSpan idleTime) => HibernatesAfter = idleTime;

    public void RenewCapsule()
    {
    }

    public SessionMove Move(string silo)
    {
        MovesTo = silo;
        return SessionMove.UnderWay;
    }

    public void Abort(string reason)
    {
        Aborts++;
        End();
    }

    public void Supersede()
    {
        Stops++;
        End();
    }

    /// <summary>It leaves, or ends.</summary>
    public void End() => IsOver = true;
}

/// <summary>What a grain takes along when it migrates.</summary>
internal sealed class FakeMigration : IDehydrationContext, IRehydrationContext
{
    private object? _value;

    public byte[]? Bytes { get; private set; }

    public IEnumerable<string> Keys => [];

    public void AddBytes(string key, ReadOnlySpan<byte> value) => Bytes = value.ToArray();

    public void AddBytes<T>(string key, Action<T, System.Buffers.IBufferWriter<byte>> valueWriter, T value) => throw new NotSupportedException();

    public bool TryAddValue<T>(string key, T? value)
    {
        _value = value;
        return true;
    }

    public bool TryGetBytes(string key, out System.Buffers.ReadOnlySequence<byte> value)
    {
        value = new System.Buffers.ReadOnlySequence<byte>(Bytes!);
        return true;
    }

    public bool TryGetValue<T>(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? value)
    {
        value = (T?)_value;
        return value is not null;
    }
}
