using System.Net;
using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Serialization;
using Xunit;

namespace CSsl.Tests.Grains;

/// <summary>Processes of two versions talk to each other while a cluster is upgraded: what one writes, the other reads, by number.</summary>
public sealed class ContractVersionTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    private static readonly SiloAddress Address = SiloAddress.New(IPAddress.Loopback, 11111, 7);

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Report_of_an_older_silo_is_read_and_what_it_does_not_say_is_the_default()
    {
        var incarnation = Guid.NewGuid();
        var report = Reread<OlderReport, SiloReport>(new OlderReport { Name = "s", Incarnation = incarnation, Load = new OlderLoad { ProcessCpu = 1.5 }, Address = Address });
        Assert.Equal(("s", incarnation, 1.5, Address), (report.Name, report.Incarnation, report.Load.ProcessCpu, report.Address));
        Assert.Equal((RoleMode.Fixed, (SiloOrder?)null, (EngineLoad?)null, 0), (report.Mode, report.Order, report.Engine, report.Load.Connections));
    }

    [Fact]
    public void What_a_newer_silo_says_beyond_it_is_passed_over()
    {
        var report = Reread<NewerReport, SiloReport>(new NewerReport
        {
            Name = "s", Address = Address, Load = new NewerLoad { ProcessCpu = 1.5, Queues = [1, 2, 3], MachineCpu = 0.5 }, More = new NewerLoad(), Notes = new() { ["a"] = "b" },
        });
        Assert.Equal(("s", 1.5, 0.5, Address), (report.Name, report.Load.ProcessCpu, report.Load.MachineCpu, report.Address));
    }

    /// <summary>Written by the first version that had them, as they are in databases and on the wire.</summary>
    [Fact]
    public void Bytes_of_the_first_version_are_read()
    {
        var order = new SiloOrder { Silo = "data-1", Version = 3, Roles = SiloRoles.Handshake, Mode = RoleMode.Auto, Drain = new Guid(1, 2, 3, new byte[8]), By = OrderedBy.Planner };
        var state = Read<ClusterState>(FirstState);
        Assert.Equal((5L, 3L), (state.Epoch, state.LastOrder));
        Assert.Equal([order], state.Orders);
        Assert.Equal(new RoleDecision { At = DateTimeOffset.UnixEpoch, Silo = "data-1", From = SiloRoles.Data, To = SiloRoles.Handshake, By = OrderedBy.Planner, Reason = "r" }, Assert.Single(state.Decisions));

        var change = Read<ClusterViewChange>(FirstChange);
        Assert.Equal((new ViewVersion(5, 1), new ViewVersion(5, 2), true), (change.From, change.To, change.Settling));
        Assert.Equal([Reports.Silo("s", address: Address)], change.Silos);
        Assert.Equal(["gone"], change.GoneSilos);
        Assert.Equal([Reports.Gateway("g")], change.Gateways);
        Assert.Null(change.Decisions);
    }

    [Fact]
    public void Refusal_of_a_name_arrives_as_what_it_is()
        => Assert.Equal("taken", Assert.IsType<DuplicateNameException>(Reread<Exception, Exception>(new DuplicateNameException("taken"))).Message);

    private const string FirstState = "20E80015010D31012D8351755D526561644F6E6C794C697374496E74657266616365436F64656360315B5B4353736C2E53696C6F4F726465725D5D000321E8400D646174612D31010D09030509030541"
        + "2101000000020003000000000000000000090305E0E03101E077FEB963526561644F6E6C794C697374496E74657266616365436F64656360315B5B4353736C2E526F6C654465636973696F6E5D5D0003"
        + "21E820800080B5F7F57F9F08810000000000000000E0C10F090309090305090305410372E0E0E0";

    private const string FirstChange = "20E820E800150105E021E800150109E03101B21444125F526561644F6E6C794C697374496E74657266616365436F64656360315B5B4353736C2E53696C6F5265706F72745D5D000321E8400373412101"
        + "00000002000300000000000000000001A941173132372E302E302E313A3909030D09030521E8800000000000000000819A9999999999B93F010181000000000000000001018100000000000000008100"
        + "0000000000000001010101810000000000000000810000000000000000810000000000000000E0218000C07CC2D7C4E208810000000000000000E0090301090301090301C101C101C1012140097F0000"
        + "01019EAD011DE0E0E03101C3D96E3E4D526561644F6E6C794C697374496E74657266616365436F64656360315B5B737472696E675D5D00034109676F6E65E0310145C0E89865526561644F6E6C794C69"
        + "7374496E74657266616365436F64656360315B5B4353736C2E476174657761795265706F72745D5D000321E840036741210400000005000600000000000000000001AD09030501018100000000000000"
        + "008100000000000000000101218000C07CC2D7C4E208810000000000000000E081000000000000000081000000000000000001010101810000000000000000810000000000000000C201810000000000"
        + "000000810000000000000000C101E0E02935E00103C101C101E0";

    private T Read<T>(string hex) => _services.GetRequiredService<Serializer<T>>().Deserialize(Convert.FromHexString(hex))!;

    private TRead Reread<TWritten, TRead>(TWritten written)
        => _services.GetRequiredService<Serializer<TRead>>().Deserialize(_services.GetRequiredService<Serializer<TWritten>>().SerializeToArray(written))!;
}

[GenerateSerializer, Alias("CSsl.Tests.OlderReport")]
public sealed record OlderReport
{
    [Id(0)] public string Name { get; init; } = "";
    [Id(1)] public Guid Incarnation { get; init; }
    [Id(6)] public OlderLoad Load { get; init; } = new();
    [Id(14)] public SiloAddress? Address { get; init; }
}

[GenerateSerializer, Alias("CSsl.Tests.OlderLoad")]
public sealed record OlderLoad
{
    [Id(0)] public double ProcessCpu { get; init; }
}

[GenerateSerializer, Alias("CSsl.Tests.NewerReport")]
public sealed record NewerReport
{
    [Id(0)] public string Name { get; init; } = "";
    [Id(6)] public NewerLoad Load { get; init; } = new();
    [Id(14)] public SiloAddress? Address { get; init; }
    [Id(200)] public NewerLoad? More { get; init; }
    [Id(201)] public Dictionary<string, string> Notes { get; init; } = [];
}

[GenerateSerializer, Alias("CSsl.Tests.NewerLoad")]
public sealed record NewerLoad
{
    [Id(0)] public double ProcessCpu { get; init; }
    [Id(1)] public double MachineCpu { get; init; }
    [Id(100)] public List<long> Queues { get; init; } = [];
}
