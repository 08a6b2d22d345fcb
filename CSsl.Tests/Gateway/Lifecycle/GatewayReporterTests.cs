using CSsl.Gateway.Admin;
using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Lifecycle;
using CSsl.Gateway.Metrics;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
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
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly HostEnd _end;

    public GatewayReporterTests()
    {
        var table = new ConnectionTable(100);
        _admission = new HandshakeAdmission(new LimitsOptions(), new ClusterViewHolder(), _clock);
        _meters = new GatewayMeters(table, _admission);
        _status = new GatewayStatus(Options.Create(new GatewayOptions { Name = "gateway-7" }), table, _admission, _meters, _clock) { State = SiloState.Active };
        _end = new HostEnd(_lifetime);
        _reporter = new GatewayReporter(FakeGrains.Of(_ => _cluster), _view, new GatewayObserver(_view, new GatewaySessions(table, Options.Create(new GatewayOptions()))), _status, _admission, new RefusalLog(new RecordingLogger<RefusalLog>(), _meters, _clock), _end, _clock, _lines);
    }

    [Fact]
    public async Task Report_says_what_the_gateway_does_and_brings_the_view()
    {
        _meters.CountHandshakeCompleted(TimeSpan.FromMilliseconds(2));
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        for (var i = 0; i < 5; i++)
            _meters.CountHandshakeCompleted(TimeSpan.FromMilliseconds(2));
        _meters.CountToClient(2, 3000);
        _meters.CountFromClient(1, 1000);
        await _reporter.ReportIfDueAsync(CancellationToken.None);

        var report = _cluster.Reports[^1];
        Assert.Equal(("gateway-7", SiloState.Active, 10.0, 8000.0), (report.Name, report.State, report.HandshakesPerSecond, report.BytesPerSecond));
        Assert.Equal(["silo"], _view.Current.Silos.Select(silo => silo.Name));
    }

    [Fact]
    public async Task Control_plane_that_is_away_costs_one_line_and_not_the_view()
    {
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        _cluster.Error = new TimeoutException("nobody there.");
        _clock.Advance(ReportChange.Renewal);
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(4.9));
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Empty(_lines.Lines);

        _clock.Advance(TimeSpan.FromSeconds(0.1));
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        var line = Assert.Single(_lines.Lines);
        Assert.Equal((LogLevel.Warning, "The cluster grain can't be reached: no answer in time; clients are served on the last view"), (line.Level, line.Message));
        Assert.Single(_view.Current.Silos);

        _cluster.Error = null;
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Equal(LogLevel.Information, _lines.Lines[^1].Level);
    }

    [Fact]
    public async Task Report_goes_out_when_the_state_changes_and_else_when_the_subscription_must_be_renewed()
    {
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Single(_cluster.Reports);
        _clock.Advance(ReportChange.Renewal);
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Equal(2, _cluster.Reports.Count);

        _status.State = SiloState.Draining;
        _clock.Advance(ReportChange.Urgent);
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Equal(SiloState.Draining, _cluster.Reports[2].State);
        Assert.Equal(1, _cluster.Fetches);
    }

    [Fact]
    public async Task Push_that_was_missed_makes_it_ask_for_the_view()
    {
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        _cluster.Version = new ViewVersion(1, 5);
        await _cluster.Observer!.ViewChanged(new ClusterViewChange { From = new ViewVersion(1, 4), To = new ViewVersion(1, 5) });
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Equal((1, 2, _cluster.Version), (_cluster.Reports.Count, _cluster.Fetches, _view.Current.Version));

        // One that got lost without a successor shows in the answers.
        _cluster.Version = new ViewVersion(1, 6);
        for (var i = 0; i < 2; i++)
        {
            _clock.Advance(ReportChange.Renewal);
            await _reporter.ReportIfDueAsync(CancellationToken.None);
        }

        Assert.Equal((3, _cluster.Version), (_cluster.Fetches, _view.Current.Version));
    }

    [Fact]
    public async Task Control_plane_that_is_away_for_a_moment_is_nothing_to_tell()
    {
        _cluster.Error = new TimeoutException("not yet.");
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(3));
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        _cluster.Error = null;
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Empty(_lines.Lines);
    }

    [Fact]
    public async Task Gateway_whose_name_another_has_ends_with_the_exit_code_of_that()
    {
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Null(_end.ExitCode);
        _cluster.Error = new DuplicateNameException("a gateway with the name gateway-7 lives already");
        _clock.Advance(ReportChange.Renewal);
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Equal(ExitCodes.InUse, _end.ExitCode);
        Assert.True(_lifetime.ApplicationStopping.IsCancellationRequested);
        Assert.Empty(_lines.Lines);
    }

    [Fact]
    public async Task Storm_that_finds_no_CPU_costs_one_line_and_its_end_another()
    {
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        _admission.Observe(Reports.Gateway("gateway-7") with { ProcessCpu = 2, CpuAllowance = 2 });
        var clients = Enumerable.Range(0, 1000).Select(_ => _admission.EnterAsync().AsTask()).ToList();
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        var (level, message) = Assert.Single(_lines.Lines);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains("400 per second", message, StringComparison.Ordinal);

        // All had their turn; then nobody has waited for a while.
        _clock.Advance(TimeSpan.FromSeconds(6));
        await Task.WhenAll(clients);
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Single(_lines.Lines);
        _clock.Advance(TimeSpan.FromSeconds(5));
        await _reporter.ReportIfDueAsync(CancellationToken.None);
        Assert.Equal(LogLevel.Information, _lines.Lines[^1].Level);
        Assert.Equal(2, _lines.Lines.Count);
    }

    [Fact]
    public async Task Status_page_shows_every_process_and_itself_without_a_control_plane_too()
    {
        var refusals = new RefusalLog(new RecordingLogger<RefusalLog>(), _meters, _clock);
        var page = new StatusPage(_view, _status, refusals, Options.Create(new ClusterOptions { Id = "test" }));
        Assert.Equal("gateway-7", Assert.Single(page.Show().Processes).Name);

        await _reporter.ReportIfDueAsync(CancellationToken.None);
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
        public List<GatewayReport> Reports { get; } = [];

        public int Fetches { get; private set; }

        public ViewVersion Version { get; set; } = new(1, 1);

        public IGatewayObserver? Observer { get; private set; }

        public Exception? Error { get; set; }

        public ValueTask<ViewVersion> ReportGateway(GatewayReport report, IGatewayObserver? observer, ViewVersion known, CancellationToken cancellationToken)
        {
            Observer = observer;
            Reports.Add(report);
            return Error is null ? ValueTask.FromResult(Version) : ValueTask.FromException<ViewVersion>(Error);
        }

        public ValueTask<ClusterView> GetView(CancellationToken cancellationToken)
        {
            Fetches++;
            return ValueTask.FromResult(new ClusterView { Version = Version, Silos = [Support.Reports.Silo("silo")], Gateways = [Reports[^1]] });
        }

        public ValueTask<ViewVersion> ReportSilo(SiloReport report, ISiloObserver? observer, ViewVersion known, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<CommandAnswer> Command(SiloCommand command, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<KnownGateway>> GetGateways(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ClusterView> GetPart(string silo, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
