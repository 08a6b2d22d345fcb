using System.Collections;
using CSsl.Cli.Up;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli.Up;

public sealed class ClusterPlanTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Plan_has_a_gateway_and_the_silos_asked_for()
    {
        var plan = Plan(new UpOptions { HandshakeSilos = 2, DataSilos = 3 });
        Assert.Equal(["handshake-1", "handshake-2", "data-1", "data-2", "data-3", "gateway-1"], plan.Processes().Select(process => process.Name));
        Assert.Equal(["127.0.0.1:8443"], plan.Https);
        Assert.Equal("127.0.0.1:9443", plan.Admin);
        Assert.True(plan.NeedsOrigin);
    }

    [Fact]
    public void Several_gateways_share_the_port_for_clients_and_have_admin_ports_of_their_own()
    {
        var plan = Plan(new UpOptions { Gateways = 3, Admin = "127.0.0.1:9500" });
        var gateways = plan.Processes().TakeLast(3).Select(process => LoadAs(process).Settings.Gateway).ToList();
        Assert.Equal(["gateway-1", "gateway-2", "gateway-3"], gateways.Select(gateway => gateway.Name));
        Assert.Equal(["127.0.0.1:9500", "127.0.0.1:9501", "127.0.0.1:9502"], gateways.Select(gateway => gateway.Admin));
        Assert.All(gateways, gateway => Assert.Equal((true, "127.0.0.1:8443"), (gateway.ReusePort, Assert.Single(gateway.Listen))));
        Assert.False(LoadAs(Plan(new UpOptions()).Processes()[^1]).Settings.Gateway.ReusePort);
    }

    [Fact]
    public void Each_process_understands_what_it_is_told()
    {
        var loaded = Plan(new UpOptions()).Processes().ToDictionary(process => process.Name, process => LoadAs(process).Settings);
        Assert.All(loaded.Values, settings => Assert.True(settings.WatchParent));
        Assert.Equal(("data-2", SiloRoles.Data), (loaded["data-2"].Silo.Name, loaded["data-2"].Silo.Roles));
        Assert.Equal(("handshake-1", SiloRoles.Handshake), (loaded["handshake-1"].Silo.Name, loaded["handshake-1"].Silo.Roles));
        Assert.Equal("gateway-1", loaded["gateway-1"].Gateway.Name);
        Assert.Single(loaded.Values.Select(settings => (settings.Cluster.KeyFile, settings.Cluster.Database)).Distinct());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("""{ "Cluster": { "SealingKeyFile": "/k" }, "Certificates": [ { "Names": [ "a" ], "Certificate": "/c", "Key": "/p" } ], "ReverseProxy": { "Routes": {} } }""")]
    public void Nobody_gets_a_key_that_is_not_its_business(string? json)
    {
        var loaded = Plan(new UpOptions(), json).Processes().ToDictionary(process => process.Name, process => LoadAs(process).Settings);
        Assert.NotEmpty(loaded["handshake-1"].Certificates);
        Assert.NotEmpty(loaded["data-1"].Certificates); // told where they are; read with the handshake role only
        Assert.Empty(loaded["gateway-1"].Certificates);
        Assert.False(string.IsNullOrEmpty(loaded["handshake-1"].Cluster.SealingKeyFile));
        Assert.False(string.IsNullOrEmpty(loaded["data-1"].Cluster.SealingKeyFile));
        Assert.True(string.IsNullOrEmpty(loaded["gateway-1"].Cluster.SealingKeyFile));
    }

    [Fact]
    public void What_the_configuration_says_is_left_alone()
    {
        var plan = Plan(new UpOptions(), """
            { "Gateway": { "Listen": [ "127.0.0.1:1", "127.0.0.1:2" ], "Admin": "127.0.0.1:3" }, "Cluster": { "Id": "mine", "KeyFile": "/k", "Database": "/db" },
              "ReverseProxy": { "Clusters": { "c": { "Destinations": { "d": { "Address": "http://x/" } } } } } }
            """);
        Assert.False(plan.NeedsOrigin);
        var gateway = LoadAs(plan.Processes()[^1]).Settings;
        Assert.Equal(["127.0.0.1:1", "127.0.0.1:2"], gateway.Gateway.Listen);
        Assert.Equal(("127.0.0.1:3", "mine", "/k", "/db"), (gateway.Gateway.Admin, gateway.Cluster.Id, gateway.Cluster.KeyFile, gateway.Cluster.Database));
        Assert.Equal("http://x/", Values(plan.Processes()[1])["ReverseProxy:Clusters:c:Destinations:d:Address"]);
    }

    [Fact]
    public void Options_override_the_configuration()
    {
        var options = new UpOptions { Https = "127.0.0.1:11", Admin = "127.0.0.1:13", Origin = "http://y/", Settings = ["--Limits:Connections=5"] };
        var plan = Plan(options, """{ "Gateway": { "Listen": [ "127.0.0.1:1", "127.0.0.1:2" ] }, "ReverseProxy": { "Clusters": { "c": { "Destinations": { "d": { "Address": "http://x/" } } } } } }""");
        Assert.False(plan.NeedsOrigin);
        var gateway = LoadAs(plan.Processes()[^1]).Settings;
        Assert.Equal(["127.0.0.1:11"], gateway.Gateway.Listen);
        Assert.Equal(("127.0.0.1:13", 5), (gateway.Gateway.Admin, gateway.Limits.Connections));
        var data = Values(plan.Processes()[1]);
        Assert.DoesNotContain("ReverseProxy:Clusters:c:Destinations:d:Address", data.Keys);
        Assert.Equal("http://y/", data["ReverseProxy:Clusters:origin:Destinations:origin:Address"]);
    }

    [Fact]
    public void One_process_gets_everything()
    {
        var arguments = Plan(new UpOptions { Https = "127.0.0.1:11" }).SingleProcess();
        var settings = CsslConfiguration.Load(arguments, new Hashtable(), _folder.Path).Settings;
        Assert.Equal(2, settings.Certificates.Count);
        Assert.NotNull(settings.Cluster.KeyFile);
        Assert.NotNull(settings.Cluster.SealingKeyFile);
        Assert.Equal(["127.0.0.1:11"], settings.Gateway.Listen);
    }

    [Fact]
    public void Processes_are_waited_for_as_long_as_their_own_drain_time_says()
    {
        var silos = Plan(new UpOptions { Settings = ["--Silo:DrainTime=2m", "--Gateway:DrainTime=40s"] }).Processes();
        Assert.Equal(CsslHost.StopTime(TimeSpan.FromMinutes(2)), silos[0].StopTime);
        Assert.Equal(CsslHost.StopTime(TimeSpan.FromSeconds(40)), silos[^1].StopTime);
    }

    [Fact]
    public void Ports_that_were_picked_are_kept_until_the_cluster_ends()
    {
        using var plan = Plan(new UpOptions { Https = "127.0.0.1:0", Admin = "127.0.0.1:0" });
        plan.ChoosePorts();
        int[] ports = [HostPort.Parse(plan.Https[0]).Port, HostPort.Parse(plan.Admin).Port, plan.OriginPort!.Value];
        Assert.All(ports, static port => Assert.True(Ports.IsTaken(port)));
        plan.Dispose();
        Assert.All(ports, static port => Assert.False(Ports.IsTaken(port)));
    }

    private ClusterPlan Plan(UpOptions options, string? json = null)
    {
        List<string> arguments = [.. options.Settings];
        if (json is not null)
        {
            File.WriteAllText(_folder.File("x.json"), json);
            arguments.InsertRange(0, ["--config", "x.json"]);
        }

        return new ClusterPlan(options, CsslConfiguration.Load(arguments, new Hashtable(), _folder.Path), StateFolder.Create(_folder.File("state")));
    }

    private LoadedConfiguration LoadAs(ChildSpec process) => CsslConfiguration.Load(process.Arguments, new Hashtable(), _folder.Path);

    private Dictionary<string, string?> Values(ChildSpec process) => new(LoadAs(process).Values, StringComparer.OrdinalIgnoreCase);
}
