using System.Security.Cryptography;
using CSsl.Grains.Data;
using CSsl.Hosting.Configuration;
using CSsl.Silo;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.TestingHost;
using Xunit;

namespace CSsl.Tests.Grains.Data;

public sealed class DataGrainTests : IAsyncLifetime
{
    private readonly SessionTable _sessions = new();
    private InProcessTestCluster _cluster = null!;

    private IGrainFactory Grains => _cluster.Client;

    public async Task InitializeAsync() => _cluster = await GrainCluster.StartAsync(1, silo => silo.Services.AddSingleton(_sessions));

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task A_session_that_is_attached_is_found_and_can_be_ended()
    {
        var session = new FakeSession();
        _sessions.Add(session);
        var grain = Grains.GetGrain<IDataGrain>(session.Info.SessionId);

        Assert.True(await grain.Attached(session.Info, CancellationToken.None));

        Assert.Equal(session.Info, await grain.Find(CancellationToken.None));
        Assert.True(await grain.End(CancellationToken.None));
        Assert.Equal(1, session.CloseRequests);
    }

    [Fact]
    public async Task A_session_that_was_detached_is_not_found()
    {
        var session = new FakeSession();
        _sessions.Add(session);
        var grain = Grains.GetGrain<IDataGrain>(session.Info.SessionId);
        await grain.Attached(session.Info, CancellationToken.None);

        _sessions.Remove(session);
        await grain.Detached(session.Info, CancellationToken.None);

        Assert.Null(await grain.Find(CancellationToken.None));
        Assert.False(await grain.End(CancellationToken.None));
    }

    [Fact]
    public async Task A_late_detach_does_not_undo_a_newer_attach()
    {
        var before = new FakeSession();
        var after = new FakeSession(before.Info with { AttachedAt = before.Info.AttachedAt.AddSeconds(5) });
        var grain = Grains.GetGrain<IDataGrain>(before.Info.SessionId);
        _sessions.Add(before);
        await grain.Attached(before.Info, CancellationToken.None);
        _sessions.Add(after);
        await grain.Attached(after.Info, CancellationToken.None);

        await grain.Detached(before.Info, CancellationToken.None);

        Assert.Equal(after.Info, await grain.Find(CancellationToken.None));
    }

    [Fact]
    public async Task A_session_that_is_served_elsewhere_is_not_taken()
    {
        var elsewhere = new FakeSession().Info;

        Assert.False(await Grains.GetGrain<IDataGrain>(elsewhere.SessionId).Attached(elsewhere, CancellationToken.None));
    }

    [Fact]
    public void The_table_aborts_a_session_whose_id_is_attached_again()
    {
        var before = new FakeSession();
        var after = new FakeSession(before.Info);
        _sessions.Add(before);

        _sessions.Add(after);
        _sessions.Remove(before);

        Assert.Equal(1, before.Aborts);
        Assert.True(_sessions.TryGet(before.Info.SessionId, out var current));
        Assert.Same(after, current);
    }

    /// <summary>It waited on a lost link while the gateway went on over a new one.</summary>
    [Fact]
    public void The_table_aborts_a_session_that_comes_after_one_that_took_it_over()
    {
        var late = new FakeSession { Takeovers = 1 };
        var newer = new FakeSession(late.Info) { Takeovers = 2 };
        Assert.True(_sessions.Add(newer));

        Assert.False(_sessions.Add(late));
        _sessions.Remove(late);

        Assert.Equal((1, 0), (late.Aborts, newer.Aborts));
        Assert.True(_sessions.TryGet(newer.Info.SessionId, out var current));
        Assert.Same(newer, current);
    }
}

internal sealed class FakeSession(DataSessionInfo? info = null) : IServedSession
{
    public void EndUpgraded()
    {
    }

    public DataSessionInfo Info { get; } = info ?? new DataSessionInfo { SessionId = Guid.NewGuid(), Silo = "s1", Client = "203.0.113.7:50123", AttachedAt = DateTimeOffset.UnixEpoch };

    public int Takeovers { get; init; }

    public TimeSpan Stalled { get; set; }

    public int CloseRequests { get; private set; }

    public int Aborts { get; private set; }

    public int Drains { get; private set; }

    public TimeSpan? HibernatesAfter { get; private set; }

    public void RequestClose() => CloseRequests++;

    public void Drain() => Drains++;

    public void Hibernate(TimeSpan idleTime) => HibernatesAfter = idleTime;

    public void Abort(string reason) => Aborts++;
}
