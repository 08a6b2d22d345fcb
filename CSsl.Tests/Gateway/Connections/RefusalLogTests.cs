using System.Net;
using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Metrics;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Gateway.Connections;

/// <summary>A flood of garbage does not flood the log.</summary>
public sealed class RefusalLogTests : IDisposable
{
    private static readonly IPEndPoint Client = new(IPAddress.Parse("192.0.2.1"), 1234);

    private readonly FakeTimeProvider _clock = new();
    private readonly RecordingLogger<RefusalLog> _lines = new();
    private readonly HandshakeAdmission _admission = new(new LimitsOptions(), new ClusterViewHolder(), TimeProvider.System);
    private readonly GatewayMeters _meters;
    private readonly RefusalLog _log;

    public RefusalLogTests()
    {
        _meters = new GatewayMeters(new ConnectionTable(100), _admission);
        _log = new RefusalLog(_lines, _meters, _clock);
    }

    [Fact]
    public void First_refusals_of_a_second_are_told_in_full_and_the_others_as_a_number()
    {
        for (var i = 0; i < 1000; i++)
            _log.Refused(RefusalReason.NotTls, Client, "first octets FF");
        _log.Refused(RefusalReason.PlainHttp, Client);
        Assert.Equal(RefusalLog.LinesPerSecond + 1, _lines.Lines.Count);
        Assert.Equal("Refused 192.0.2.1:1234: NotTls: first octets FF", _lines.Lines[0].Message);
        Assert.Equal("Refused 192.0.2.1:1234: PlainHttp", _lines.Lines[^1].Message);

        _log.Sweep();
        Assert.Equal(RefusalLog.LinesPerSecond + 1, _lines.Lines.Count);
        _clock.Advance(TimeSpan.FromSeconds(1));
        _log.Sweep();
        _log.Sweep();
        Assert.Equal((LogLevel.Warning, "Refused 995 more connections: NotTls"), _lines.Lines[^1]);
        Assert.Equal(RefusalLog.LinesPerSecond + 2, _lines.Lines.Count);
    }

    [Fact]
    public void Next_second_starts_anew()
    {
        for (var i = 0; i < 6; i++)
            _log.Refused(RefusalReason.NotTls, Client);
        _clock.Advance(TimeSpan.FromSeconds(1));
        _log.Refused(RefusalReason.NotTls, Client);

        Assert.Equal("Refused 1 more connections: NotTls", _lines.Lines[^2].Message);
        Assert.Equal("Refused 192.0.2.1:1234: NotTls", _lines.Lines[^1].Message);
    }

    [Fact]
    public void Last_refusals_are_kept_with_what_is_known_of_them()
    {
        for (var i = 0; i < 2 * RefusalLog.RecentCount; i++)
            _log.Refused(RefusalReason.NotTls, Client);
        _log.Refused(RefusalReason.NoSharedGroup, Client, "at silo, no suitable key share", connection: 7);

        Assert.Equal("Refused 192.0.2.1:1234: NoSharedGroup: at silo, no suitable key share (connection 7)", _lines.Lines[^1].Message);
        Assert.Equal(RefusalLog.RecentCount, _log.Recent().Count);
        Assert.False(_log.Recent()[0].IsLasting);
        Assert.Equal(
            new RefusalStatus { Client = "192.0.2.1:1234", Reason = "NoSharedGroup", Detail = "at silo, no suitable key share", IsLasting = true },
            _log.Recent()[^1]);
    }

    [Fact]
    public void Reason_has_a_label_in_snake_case() => Assert.Equal("no_data_silo", GatewayMeters.LabelOf(RefusalReason.NoDataSilo));

    public void Dispose()
    {
        _meters.Dispose();
        _admission.Dispose();
    }
}
