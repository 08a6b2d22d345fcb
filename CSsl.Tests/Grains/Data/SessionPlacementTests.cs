using CSsl.Grains.Data;
using CSsl.Silo.Sessions;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans;
using Orleans.Runtime;
using Orleans.TestingHost;
using Xunit;

namespace CSsl.Tests.Grains.Data;

/// <summary>Where the grains of sessions are, in a cluster of Orleans whose silos each have a registrar, and what becomes of them when sessions move and silos die.</summary>
public sealed class SessionPlacementTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<SessionRegistrar> _registrars = [];
    private InProcessTestCluster _cluster = null!;
    private IReadOnlyList<InProcessSiloHandle> _silos = [];

    public async ValueTask InitializeAsync()
    {
        _cluster = await GrainCluster.StartAsync(3, static silo => silo.Services.AddSingleton<SessionTable>());
        _silos = [.. _cluster.Silos];
        foreach (var services in _silos.Select(static silo => silo.ServiceProvider))
        {
            var registrar = new SessionRegistrar(
                services.GetRequiredService<SessionTable>(), new SessionClaims(services.GetRequiredService<IGrainFactory>(), services.GetRequiredService<ILocalSiloDetails>(), services.GetRequiredService<IClusterMembershipService>()),
                Options.Create(new CSsl.Hosting.Configuration.SiloOptions()), _time, NullLogger<SessionRegistrar>.Instance);
            _registrars.Add(registrar);
            await registrar.StartAsync(CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var registrar in _registrars)
        {
            await registrar.StopAsync(CancellationToken.None);
            registrar.Dispose();
        }

        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_session_that_lasts_gets_its_grain_at_the_silo_that_serves_it()
    {
        for (var i = 0; i < _silos.Count; i++)
        {
            var session = Serve(i);
            await RegisteredAsync(session);

            Assert.Equal(_silos[i].SiloAddress, await WhereAsync(session));
            Assert.Equal(session.Info, await GrainOf(session).Find(CancellationToken.None));
        }
    }

    [Fact]
    public async Task Who_asks_for_a_session_that_sleeps_leaves_no_grain_behind_that_would_hold_it_elsewhere()
    {
        var session = new FakeSession(FakeSession.NewInfo(NameOf(2)));
        Assert.Null(await GrainOf(session).Find(CancellationToken.None));

        Table(2).Add(session);
        await RegisteredAsync(session);
        Assert.Equal(_silos[2].SiloAddress, await WhereAsync(session));
    }

    [Fact]
    public async Task A_grain_moves_with_its_session_and_takes_what_it_knows_along()
    {
        var before = Serve(0);
        await RegisteredAsync(before);
        Table(0).Remove(before);
        before.End();
        var after = new FakeSession(before.Info with { Silo = NameOf(1), AttachedAt = _time.GetUtcNow() - TimeSpan.FromMinutes(1), Generation = 2 });
        Table(1).Add(after);

        // Told once, where it was: registered where it is now, with what it was told.
        Assert.True((await ClaimsOf(1).AttachAsync(after, askAt: null, CancellationToken.None)).IsGranted);
        await Eventually.TrueAsync(() => after.IsRegistered, "the grain is beside the session");

        Assert.Equal(_silos[1].SiloAddress, await WhereAsync(after));
        Assert.Equal(after.Info, await GrainOf(after).Find(CancellationToken.None));
        Assert.Equal(1, after.Registrations);
    }

    [Fact]
    public async Task A_session_whose_silo_was_killed_has_its_grain_at_the_next()
    {
        var before = Serve(2);
        await RegisteredAsync(before);
        await KillAsync(2);
        var after = new FakeSession(before.Info with { Silo = NameOf(0), Takeovers = 1, Generation = 2 });
        Table(0).Add(after);

        await RegisteredAsync(after);
        Assert.Equal(_silos[0].SiloAddress, await WhereAsync(after));
        Assert.Equal(after.Info, await GrainOf(after).Find(CancellationToken.None));
    }

    /// <summary>As when the silo is gone that had its entry in the directory.</summary>
    [Fact]
    public async Task A_grain_that_Orleans_deactivates_is_there_again_by_that_event()
    {
        var session = Serve(1);
        await RegisteredAsync(session);

        await _cluster.DeactivateAsync(GrainOf(session));

        Assert.False(session.IsRegistered);
        await RegisteredAsync(session);
        Assert.Equal((_silos[1].SiloAddress, 2), (await WhereAsync(session), session.Registrations));
        Assert.Equal(session.Info, await GrainOf(session).Find(CancellationToken.None));
    }

    /// <summary>Each silo has a part of the directory: some of these are registered at the one that dies.</summary>
    [Fact]
    public async Task Sessions_are_found_where_they_are_when_a_part_of_the_directory_is_lost()
    {
        FakeSession[] sessions = [.. Enumerable.Range(0, 60).Select(_ => Serve(0))];
        await RegisteredAsync(sessions);

        await KillAsync(2);

        foreach (var session in sessions)
        {
            await Eventually.TrueAsync(async () => Sweep(await IsFoundAsync(session)), "the session is found", TimeSpan.FromSeconds(60));
            Assert.Equal(_silos[0].SiloAddress, await WhereAsync(session));
        }
    }

    private async Task<bool> IsFoundAsync(FakeSession session)
    {
        try
        {
            return await GrainOf(session).Find(CancellationToken.None) == session.Info;
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return false; // the cluster does not know yet that the silo is gone
        }
    }

    private FakeSession Serve(int silo)
    {
        var session = new FakeSession(FakeSession.NewInfo(NameOf(silo)));
        Table(silo).Add(session);
        return session;
    }

    private async Task KillAsync(int silo)
    {
        await _registrars[silo].StopAsync(CancellationToken.None);
        await _cluster.KillSiloAsync(_silos[silo]);
    }

    private Task RegisteredAsync(params FakeSession[] sessions)
        => Eventually.TrueAsync(() => Sweep(sessions.All(static session => session.IsRegistered)), "sessions have their grains", TimeSpan.FromSeconds(60));

    private bool Sweep(bool isDone)
    {
        if (!isDone)
            _time.Advance(SessionRegistrar.Interval);
        return isDone;
    }

    /// <summary>A session that is served, or was a moment ago, by the silo that may do so without a grain.</summary>
    [Fact]
    public async Task A_silo_that_serves_a_session_without_a_grain_is_asked_and_stops()
    {
        var before = Serve(0);
        var after = new FakeSession(before.Info with { Silo = NameOf(1), Generation = 2 }) { IsTakeover = true };
        Table(1).Add(after);

        var verdict = await ClaimsOf(1).AttachAsync(after, NameOf(0), CancellationToken.None);

        Assert.Equal((true, true, 1), (verdict.IsGranted, verdict.HasStoppedAnother, before.Stops));
        await Eventually.TrueAsync(() => after.IsRegistered, "the grain is beside the session");
        Assert.Equal(_silos[1].SiloAddress, await WhereAsync(after));

        // And so is one that comes back with what was served.
        Assert.False((await ClaimsOf(2).AttachAsync(new FakeSession(before.Info with { Silo = NameOf(2) }), NameOf(0), CancellationToken.None)).IsGranted);
    }

    /// <summary>Its grain could not be reached when it was attached, or another silo's could not be stopped.</summary>
    [Fact]
    public async Task A_silo_that_learns_later_of_a_newer_attach_stops()
    {
        var before = Serve(0);
        var after = new FakeSession(before.Info with { Silo = NameOf(1), Generation = 2 }) { IsTakeover = true };
        Table(1).Add(after);
        Assert.False((await ClaimsOf(1).AttachAsync(after, askAt: null, CancellationToken.None)).HasStoppedAnother);

        await Eventually.TrueAsync(() => Sweep(before.Stops > 0), "the older one is stopped");
        Assert.Equal((0, 2u), (after.Stops, (await GrainOf(after).Find(CancellationToken.None))!.Generation));
    }

    private SessionClaims ClaimsOf(int silo)
    {
        var services = _silos[silo].ServiceProvider;
        return new SessionClaims(services.GetRequiredService<IGrainFactory>(), services.GetRequiredService<ILocalSiloDetails>(), services.GetRequiredService<IClusterMembershipService>());
    }

    private SessionTable Table(int silo) => _silos[silo].ServiceProvider.GetRequiredService<SessionTable>();

    private string NameOf(int silo) => _silos[silo].ServiceProvider.GetRequiredService<ILocalSiloDetails>().Name;

    private ISessionGrain GrainOf(FakeSession session) => _cluster.Client.GetGrain<ISessionGrain>(session.Info.SessionId);

    private async Task<SiloAddress?> WhereAsync(FakeSession session)
        => await _cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(GrainOf(session));
}
