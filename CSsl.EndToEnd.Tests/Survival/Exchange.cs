using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>A client in the middle of something, when the fault comes.</summary>
internal abstract class Exchange(SurvivalSite site, Scene scene) : IAsyncDisposable
{
    /// <summary>The origin's part.</summary>
    public Scene Scene { get; } = scene;

    protected SurvivalSite Site { get; } = site;

    /// <summary>Where the origin has it.</summary>
    protected string Path { get; } = site.Add(scene);

    /// <summary>Gets to where the fault is to come.</summary>
    public abstract Task StartAsync();

    /// <summary>Who served it before the fault.</summary>
    public async Task<string> FirstSiloAsync() => (await Scene.First).Silo;

    /// <summary>The origin was asked once, and never again.</summary>
    public void AssertAskedOnce() => Assert.Single(Scene.Arrivals);

    /// <summary>The origin was asked a second time, through the other silo.</summary>
    public Arrival AssertAskedAgain()
    {
        Assert.Equal(2, Scene.Arrivals.Count);
        Assert.Equal(SurvivalSite.Other, Scene.Arrivals[1].Silo);
        return Scene.Arrivals[1];
    }

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Completes when it has ended, or has been seen to go on.</summary>
    public abstract Task EndedAsync();

    protected static Task InTime(Task task) => task.WaitAsync(Tool.DefaultDeadline);
}

/// <summary>A client, and what it saw.</summary>
internal abstract class Exchange<TEnding>(SurvivalSite site, Scene scene) : Exchange(site, scene)
{
    private Task<TEnding>? _ending;

    /// <summary>What it saw after the fault.</summary>
    public Task<TEnding> Ending => _ending ??= EndAsync();

    /// <inheritdoc/>
    public override Task EndedAsync() => Ending;

    protected abstract Task<TEnding> EndAsync();
}
