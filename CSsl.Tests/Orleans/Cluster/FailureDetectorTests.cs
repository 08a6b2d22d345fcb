using System.Net;
using System.Net.Sockets;
using CSsl.Database;
using CSsl.EmbeddedCluster.Cluster;
using CSsl.EmbeddedCluster.Wire;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Hosting;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Cluster;

/// <summary>One detector, one silo that accepts connections and never answers, and a clock that moves when told.</summary>
public sealed class FailureDetectorTests : IAsyncLifetime, IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly ManualTimeProvider _time = new();
    private readonly TcpListener _hung = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ClusterAuthenticator _authenticator = new(new byte[32], "test");
    private EmbeddedClusterOptions _options = null!;
    private MembershipTable _table = null!;
    private Membership _membership = null!;
    private SiloTransport _transport = null!;
    private SiloAddress _suspect = null!;
    private Task _running = null!;

    public async Task InitializeAsync()
    {
        _options = new EmbeddedClusterOptions
        {
            ClusterId = "test",
            Database = _folder.File("cluster.db"),
            ClusterKey = new byte[32],
            ProbePeriod = TimeSpan.FromMilliseconds(100),
            ProbeTimeout = TimeSpan.FromMilliseconds(500),
            MissedProbes = 3,
        };
        var database = ClusterDatabase.Of(_options.Database);
        await database.PrepareAsync();
        _table = new MembershipTable(database, "test", _time);
        _membership = new Membership(_table);
        _transport = new SiloTransport(_authenticator, _membership, 1024, _time, NullLogger.Instance);
        _hung.Start();
        var self = await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "self");
        _suspect = await _table.JoinAsync((IPEndPoint)_hung.LocalEndpoint, "hung");
        await _membership.RefreshAsync();
        var detector = new FailureDetector(_options, _table, _membership, _transport, _time, NullLogger.Instance) { Self = self, Announce = () => _membership.RefreshAsync() };
        _running = detector.RunAsync(_stop.Token);
        _time.Advance(_options.ProbePeriod);
    }

    [Fact]
    public async Task Silo_is_dead_after_so_many_silent_probes_and_not_before()
    {
        for (var missed = 1; missed <= _options.MissedProbes; missed++)
        {
            await ProbeIsUnderWayAsync();
            Assert.True((await _table.ReadAsync()).IsAlive(_suspect));
            _time.Advance(_options.ProbeTimeout);
        }

        await Eventually.TrueAsync(async () => !(await _table.ReadAsync()).IsAlive(_suspect), "the silo to be out");
    }

    [Fact]
    public async Task Silo_is_dead_when_its_port_is_closed()
    {
        await ProbeIsUnderWayAsync();
        _hung.Dispose();

        await Eventually.TrueAsync(
            async () =>
            {
                _time.Advance(_options.ProbePeriod);
                return !(await _table.ReadAsync()).IsAlive(_suspect);
            },
            "the silo to be out");
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public void Dispose()
    {
        _hung.Dispose();
        _stop.Dispose();
        _transport.Dispose();
        _membership.Dispose();
        _authenticator.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    /// <summary>One timer is that of the rounds, the other that of the probe.</summary>
    private Task ProbeIsUnderWayAsync() => Eventually.TrueAsync(() => _time.ArmedTimers == 2, "a probe to be under way");
}
