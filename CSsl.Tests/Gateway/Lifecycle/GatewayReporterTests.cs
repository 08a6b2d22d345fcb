using CSsl.Gateway.Admin;
using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Lifecycle;
using CSsl.Gateway.Metrics;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Gateway.Lifecycle;

/// <summary>The gateway's reports, and the status page, with and without a control plane.</summary>
public sealed class GatewayReporterTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ClusterViewHolder _view = new();
    private readonly FakeCluster _cluster = new();
    private readonly RecordingLogger<GatewayReporter> _lines = new();
    private readonly HandshakeAdmission _admission;
    private readonly GatewayMeters _meters;
    private readonly GatewayStatus _status;
    private readonly GatewayReporter _reporter;

    public GatewayReporterTests()
    {
        var table = new ConnectionTable(100);
        _admission = new HandshakeAdmission(new LimitsOptions(), new ClusterViewHolder(), _clock);
        _meters = new GatewayMeters(table, _admission);
        _status = new GatewayStatus(Options.Create(new GatewayOptions { Name = "gateway-7" }), table, _admission, _meters, _clock) { State = SiloState.Active };
        _reporter = new GatewayReporter(FakeGrains.Of(_ => _cluster), _view, _status, _admission, new RefusalLog(new RecordingLogger<RefusalLog>(), _meters, _clock), _clock, _lines);
    }

    [Fact]
    public async Task Report_says_what_the_gateway_does_and_brings_the_view()
    {
        _meters.CountHandshakeCompleted(TimeSpan.FromMilliseconds(2));
        await _reporter.ReportAsync(CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        for (var i = 0; i < 5; i++)
            _meters.CountHandshakeCompleted(TimeSpan.FromMilliseconds(2));
        _meters.CountToClient(2, 3000);
        _meters.CountFromClient(1, 1000);
        await _reporter.ReportAsync(CancellationToken.None);

        var report = _cluster.Reports[^1];
        Assert.Equal(("gateway-7", SiloState.Active, 10.0, 8000.0), (report.Name, report.State, report.HandshakesPerSecond, report.BytesPerSecond));
        Assert.Equal(["silo"], _view.Current.Silos.Select(silo => silo.Name));
    }

    [Fact]
    public async Task Control_plane_that_is_away_costs_one_line_and_not_the_view()
    {
        await _reporter.ReportAsync(CancellationToken.None);
        _cluster.Error = new TimeoutException("nobody there.");
        await _reporter.ReportAsync(CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(4.9));
        await _reporter.ReportAsync(CancellationToken.None);
        Assert.Empty(_lines.Lines);

        _clock.Advance(TimeSpan.FromSeconds(0.1));
        await _reporter.ReportAsync(CancellationToken.None);
        await _reporter.ReportAsync(CancellationToken.None);
        Assert.Equal(LogLevel.Warning, Assert.Single(_lines.Lines).Level);
        Assert.Single(_view.Current.Silos);

        _cluster.Error = null;
        await _reporter.ReportAsync(CancellationToken.None);
        Assert.Equal(LogLevel.Information, _lines.Lines[^1].Level);
    }

    [Fact]
    public async Task Call_that_hangs_is_given_up_in_two_seconds()
    {
        _cluster.Hangs = true;
        var report = _reporter.ReportAsync(CancellationToken.None);
        Assert.False(report.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(2));
        await report;
    }

    [Fact]
    public async Task Control_plane_that_is_away_for_a_moment_is_nothing_to_tell()
    {
        _cluster.Error = new TimeoutException("not yet.");
        await _reporter.ReportAsync(CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(3));
        await _reporter.ReportAsync(CancellationToken.None);
        _cluster.Error = null;
        await _reporter.ReportAsync(CancellationToken.None);
        Assert.Empty(_lines.Lines);
    }

    [Fact]
    public async Task Storm_that_finds_no_CPU_costs_one_line_and_its_end_another()
    {
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        _admission.Observe(Reports.Gateway("gateway-7") with { ProcessCpu = 2, CpuAllowance = 2 });
        var clients = Enumerable.Range(0, 1000).Select(_ => _admission.EnterAsync().AsTask()).ToList();
        await _reporter.ReportAsync(CancellationToken.None);
        await _reporter.ReportAsync(CancellationToken.None);
        var (level, message) = Assert.Single(_lines.Lines);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains("400 per second", message, StringComparison.Ordinal);

        // All had their turn; then nobody has waited for a while.
        _clock.Advance(TimeSpan.FromSeconds(6));
        await Task.WhenAll(clients);
        await _reporter.ReportAsync(CancellationToken.None);
        Assert.Single(_lines.Lines);
        _clock.Advance(TimeSpan.FromSeconds(5));
        await _reporter.ReportAsync(CancellationToken.None);
        Assert.Equal(LogLevel.Information, _lines.Lines[^1].Level);
        Assert.Equal(2, _lines.Lines.Count);
    }

    [Fact]
    public async Task Status_page_shows_every_process_and_itself_without_a_control_plane_too()
    {
        var refusals = new RefusalLog(new RecordingLogger<RefusalLog>(), _meters, _clock);
        var page = new StatusPage(_view, _status, refusals, Options.Create(new ClusterOptions { Id = "test" }));
        Assert.Equal("gateway-7", Assert.Single(page.Show().Processes).Name);

        await _reporter.ReportAsync(CancellationToken.None);
        var status = page.Show();
        Assert.Equal("test", status.ClusterId);
        Assert.Equal([("gateway-7", "gateway", "Active"), ("silo", "silo", "Active")], status.Processes.Select(process => (process.Name, process.Kind, process.State)));
        Assert.Equal(["Handshake", "Data"], status.Processes[1].Roles);
        Assert.Equal(Environment.ProcessId, status.Processes[0].Pid);
    }

    public void Dispose()
    {
        _reporter.Dispose();
        _status.Dispose();
        _meters.Dispose();
        _admission.Dispose();
    }

    private sealed class FakeCluster : IClusterGrain
    {
        private long _version;

        public List<GatewayReport> Reports { get; } = [];

        public Exception? Error { get; set; }

        public bool Hangs { get; set; }

        public async ValueTask<ClusterView> ReportGateway(GatewayReport report, CancellationToken cancellationToken)
        {
            Reports.Add(report);
            if (Hangs)
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return Error is null ? Support.Reports.View(++_version, Support.Reports.Silo("silo")) with { Gateways = [report] } : throw Error;
        }

        public ValueTask<ClusterView> ReportSilo(SiloReport report, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<CommandAnswer> Command(SiloCommand command, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ClusterView> GetView(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
