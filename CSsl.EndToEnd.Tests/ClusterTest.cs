using CSsl.Tests.Support;
using Xunit;

// Those that mostly wait run before all others: WaitingForUp, WaitingForSilos, and one class at a time beside them.
[assembly: Xunit.v3.Parallelization(MaxThreads = 3)]

namespace CSsl.EndToEnd.Tests;

/// <summary>The cluster that most end-to-end tests share. They run one after another, and alone: they load the whole machine.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedCluster : ICollectionFixture<Cluster>
{
    public const string Name = "cluster";
}

/// <summary>A cluster whose origin is in the test process.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OwnOrigin : ICollectionFixture<ClusterWithTestOrigin>
{
    public const string Name = "own origin";
}

/// <summary>Tests that start clusters of their own, and load the whole machine or ask how soon something is noticed; one after another too.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OwnCluster
{
    public const string Name = "own cluster";
}

/// <summary>Tests that start clusters of their own with <c>cssl up</c>, and mostly wait; one after another, but beside those of other collections.</summary>
[CollectionDefinition(Name)]
public sealed class WaitingForUp
{
    public const string Name = "waiting for cssl up";
}

/// <summary>Tests that start silos and gateways one by one, or a database, and mostly wait; likewise.</summary>
[CollectionDefinition(Name)]
public sealed class WaitingForSilos
{
    public const string Name = "waiting for silos";
}

/// <summary>A cluster with settings of its own, for the tests of a class.</summary>
public abstract class ClusterSite(ClusterSettings settings) : IAsyncLifetime
{
    private Cluster? _cluster;

    public Cluster Cluster => _cluster ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync() => _cluster = await Cluster.StartAsync(settings);

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}

/// <summary>A test against a running cluster: what the cluster logs meanwhile is shown with a failure.</summary>
public abstract class ClusterTest : IDisposable
{
    private readonly ITestOutputHelper _output;
    private readonly Lock _gate = new();
    private bool _over;

    protected ClusterTest(Cluster cluster, ITestOutputHelper output)
    {
        (Cluster, _output) = (cluster, output);
        cluster.Log.LineAdded += Show;
    }

    protected Cluster Cluster { get; }

    public void Dispose()
    {
        Cluster.Log.LineAdded -= Show;
        lock (_gate)
            _over = true; // a line that is being shown may not outlive the test
        GC.SuppressFinalize(this);
    }

    /// <summary>A URL of the cluster by name, as its certificate has it.</summary>
    protected string Url(string path) => $"https://localhost:{Cluster.Port}{path}";

    /// <summary>A new client is served.</summary>
    protected async Task AssertServedAsync() => (await Cluster.CurlAsync("/")).Succeeded();

    private void Show(string line)
    {
        lock (_gate)
        {
            if (!_over)
                _output.WriteLine(line);
        }
    }
}
