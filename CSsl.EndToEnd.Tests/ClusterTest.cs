using CSsl.Tests.Support;
using Xunit;

// Tests that mostly wait: one more than the smallest machine has cores.
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

/// <summary>Tests that start clusters of their own and load the whole machine; one after another too. Those that mostly wait, for a silo to start or to be missed, are in no collection: several run at a time, before all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OwnCluster
{
    public const string Name = "own cluster";
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
