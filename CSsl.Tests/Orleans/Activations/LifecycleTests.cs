using CSsl.Tests.Support;
using Orleans;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Activations;

public interface ITickGrain : IGrainWithIntegerKey
{
    Task StartTimer(TimeSpan due, TimeSpan period);
    Task StopTimer();
    Task<string> StaysInItsTurn();
    Task<string?> SeesAsyncLocal();
}

public class TickGrain(GrainEvents events) : Grain, ITickGrain, IDisposable
{
    public static readonly AsyncLocal<string?> Ambient = new();

    private IGrainTimer? _timer;
    private int _ticks;

    public Task StartTimer(TimeSpan due, TimeSpan period)
    {
        _timer = this.RegisterGrainTimer(
            () =>
            {
                events.Add($"tick {++_ticks}");
                return _ticks == 2 ? throw new InvalidOperationException("second tick") : Task.CompletedTask;
            },
            due,
            period);
        return Task.CompletedTask;
    }

    public Task StopTimer()
    {
        _timer!.Dispose();
        return Task.CompletedTask;
    }

    public async Task<string> StaysInItsTurn()
    {
        var scheduler = TaskScheduler.Current;
        await Task.Yield();
        await Task.Run(() => Assert.NotSame(scheduler, TaskScheduler.Current));
        return scheduler != TaskScheduler.Default && scheduler == TaskScheduler.Current ? "stays" : "leaves";
    }

    public Task<string?> SeesAsyncLocal() => Task.FromResult(Ambient.Value);

    public void Dispose()
    {
        events.Add("disposed");
        GC.SuppressFinalize(this);
    }
}

public interface IBrokenGrain : IGrainWithStringKey
{
    Task Call();
}

/// <summary>Can't be activated the first time.</summary>
public class BrokenGrain(GrainEvents events) : Grain, IBrokenGrain
{
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        events.Add("activating");
        return events.All.Count == 1 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
    }

    public Task Call() => Task.CompletedTask;
}

public sealed class LifecycleTests
{
    [Fact]
    public async Task Await_in_a_grain_comes_back_to_its_turn()
    {
        await using var cluster = new TestCluster();
        Assert.Equal("stays", await Ticker(await cluster.StartSiloAsync()).StaysInItsTurn());
    }

    [Fact]
    public async Task Grain_does_not_see_the_AsyncLocals_of_its_caller()
    {
        await using var cluster = new TestCluster();
        var silo = await cluster.StartSiloAsync();
        TickGrain.Ambient.Value = "the caller's";

        Assert.Null(await Ticker(silo).SeesAsyncLocal());
    }

    [Fact]
    public async Task Timer_ticks_in_turns_until_it_is_disposed_even_when_a_tick_fails()
    {
        await using var cluster = new TestCluster();
        var grain = Ticker(await cluster.StartSiloAsync());

        await grain.StartTimer(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));
        await cluster.Events.Until("tick 3");
        await grain.StopTimer();

        var ticks = cluster.Events.All.Count;
        await grain.StaysInItsTurn();
        Assert.Equal(ticks, cluster.Events.All.Count);
        Assert.Contains(cluster.Log.All, static l => l.StartsWith("Warning: A timer of grain tick/1 failed.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Idle_grain_is_deactivated_after_the_collection_age_and_a_busy_one_is_not()
    {
        await using var cluster = new TestCluster();
        var time = new ManualTimeProvider();
        var silo = await cluster.StartSiloAsync(time: time);
        var age = cluster.Options("s1").CollectionAge;
        await silo.Echo("idle").Calls();
        await silo.Echo("busy").Calls();
        var waiting = silo.Echo("waiting").Wait("gate", default);
        await cluster.Events.Until("waiting gate");

        time.Advance(age * 0.6);
        await silo.Echo("busy").Calls();
        time.Advance(age * 0.6);

        await cluster.Events.Until("deactivated idle s1 ActivationIdle");
        Assert.Equal(2, await silo.Echo("busy").Calls() - 1);
        Assert.DoesNotContain(cluster.Events.All, static e => e.StartsWith("deactivated busy", StringComparison.Ordinal) || e.StartsWith("deactivated waiting", StringComparison.Ordinal));
        cluster.Events.Open("gate");
        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
    }

    [Fact]
    public async Task Grain_is_disposed_when_it_is_deactivated()
    {
        await using var cluster = new TestCluster();
        var silo = await cluster.StartSiloAsync();
        await Ticker(silo).StaysInItsTurn();

        await silo.StopAsync();

        Assert.Equal(["disposed"], cluster.Events.All);
    }

    [Fact]
    public async Task Caller_is_told_when_a_grain_can_not_be_activated_and_the_next_call_tries_again()
    {
        await using var cluster = new TestCluster();
        var grain = (await cluster.StartSiloAsync()).Grains().GetGrain<IBrokenGrain>("a");

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(grain.Call);
        await grain.Call();

        Assert.Equal("not yet", thrown.Message);
        Assert.Equal(["activating", "activating"], cluster.Events.All);
    }

    private static ITickGrain Ticker(Microsoft.Extensions.Hosting.IHost silo) => silo.Grains().GetGrain<ITickGrain>(1);
}
