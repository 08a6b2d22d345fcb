using System.Collections;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace CSsl.Tests.Hosting.Configuration;

public sealed class CsslConfigurationTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Configuration_has_the_defaults_when_nothing_is_set()
    {
        var settings = Load(json: null).Settings;
        Assert.Equal("dev", settings.Cluster.Id);
        Assert.Equal(TimeSpan.FromSeconds(10), settings.Limits.HandshakeTime);
        Assert.Equal(SiloRoles.Handshake | SiloRoles.Data, settings.Silo.Roles);
        Assert.Empty(settings.Certificates);
    }

    [Fact]
    public void File_may_have_comments_and_trailing_commas()
    {
        var settings = Load("""
            // where clients connect
            {
              "Gateway": { "Listen": [ "127.0.0.1:1", /* and */ "[::1]:2", ], },
              "Limits": { "HandshakeTime": "5s", "Connections": 7, },
              "Silo": { "Roles": "handshake" },
              "Certificates": [
                { "Names": [ "a.example", "*.a.example" ], "Certificate": "a.crt", "Key": "/keys/a.key" },
                { "Names": [ "b.example" ], "Certificate": "b.crt", "Key": "b.key" },
              ],
            }
            """).Settings;
        Assert.Equal(["127.0.0.1:1", "[::1]:2"], settings.Gateway.Listen);
        Assert.Equal((TimeSpan.FromSeconds(5), 7), (settings.Limits.HandshakeTime, settings.Limits.Connections));
        Assert.Equal(SiloRoles.Handshake, settings.Silo.Roles);
        Assert.Equal(["a.example", "*.a.example"], settings.Certificates[0].Names);
        Assert.Equal(_folder.File("b.crt"), settings.Certificates[1].Certificate);
    }

    [Fact]
    public void Relative_paths_start_at_the_folder_of_the_file_that_names_them()
    {
        Directory.CreateDirectory(_folder.File("etc"));
        File.WriteAllText(_folder.File("etc/x.json"), """{ "Cluster": { "KeyFile": "keys/cluster.key", "SealingKeyFile": "/abs/sealing.key", "Database": "Data Source=x.db" } }""");
        var cluster = Load(json: null, args: ["--config", "etc/x.json", "--Cluster:SealingKeyFile=here.key"]).Settings.Cluster;
        Assert.Equal(_folder.File("etc/keys/cluster.key"), cluster.KeyFile);
        Assert.Equal(_folder.File("here.key"), cluster.SealingKeyFile);
        Assert.Equal("Data Source=x.db", cluster.Database);
    }

    [Fact]
    public void Variables_override_the_file_and_arguments_override_variables()
    {
        var environment = new Hashtable { ["CSSL_Limits__HandshakeTime"] = "6s", ["CSSL_LIMITS__CONNECTIONS"] = "6", ["CSSL_TEST_ANYTHING"] = "1", ["OTHER"] = "x" };
        var limits = Load("""{ "Limits": { "HandshakeTime": "5s", "Connections": 5, "HandshakeBytes": 5 } }""", environment, "--Limits:Connections", "7").Settings.Limits;
        Assert.Equal((TimeSpan.FromSeconds(6), 7, 5), (limits.HandshakeTime, limits.Connections, limits.HandshakeBytes));
    }

    [Fact]
    public void A_list_is_replaced_by_one_value_and_cleared_by_an_empty_one()
    {
        const string json = """{ "Gateway": { "Listen": [ "127.0.0.1:1", "127.0.0.1:2" ] }, "Certificates": [ { "Names": [ "a" ], "Certificate": "a", "Key": "b" } ] }""";
        var settings = Load(json, args: ["--Gateway:Listen=127.0.0.1:3", "--Certificates="]).Settings;
        Assert.Equal(["127.0.0.1:3"], settings.Gateway.Listen);
        Assert.Empty(settings.Certificates);

        Assert.Equal(["127.0.0.1:3", "127.0.0.1:4"], Load(json, args: ["--Gateway:Listen=127.0.0.1:3, 127.0.0.1:4"]).Settings.Gateway.Listen);
        Assert.Equal(["127.0.0.1:1", "127.0.0.1:5"], Load(json, args: ["--Gateway:Listen:1=127.0.0.1:5"]).Settings.Gateway.Listen);
    }

    [Fact]
    public void The_file_in_the_working_directory_is_read_when_none_is_named()
    {
        File.WriteAllText(_folder.File("cssl.json"), """{ "Cluster": { "Id": "found" } }""");
        Assert.Equal("found", Load(json: null).Settings.Cluster.Id);
    }

    [Fact]
    public void Sections_of_others_pass_through_unchecked()
    {
        var values = new Dictionary<string, string?>(Load("""{ "ReverseProxy": { "Routes": { "a": { "Match": { "Path": "/" } } } }, "Logging": { "LogLevel": { "Yarp": "Debug" } } }""").Values);
        Assert.Equal("/", values["ReverseProxy:Routes:a:Match:Path"]);
        Assert.Equal("Debug", values["Logging:LogLevel:Yarp"]);
    }

    [Theory]
    [InlineData("{\n \"Limts\": {\n \"HandshakeTime\": \"5s\" } }", "x.json:2: unknown key 'Limts', did you mean 'Limits'?")]
    [InlineData("{\n \"Limits\": {\n\n \"HandshakTime\": \"5s\" } }", "x.json:4: unknown key 'Limits:HandshakTime', did you mean 'Limits:HandshakeTime'?")]
    [InlineData("{\n \"Gateway\": {\n \"HandshakeTime\": \"5s\" } }", "x.json:3: unknown key 'Gateway:HandshakeTime', did you mean 'Limits:HandshakeTime'?")]
    [InlineData("{\n \"Kestrel\": {} }", "x.json:2: unknown key 'Kestrel', known here: ")]
    [InlineData("{ \"Certificates\": [\n { \"Nmaes\": [ \"a\" ] } ] }", "x.json:2: unknown key 'Certificates:0:Nmaes', did you mean 'Certificates:0:Names'?")]
    [InlineData("{ \"Silo\": { \"LaneCount\": 3 } }", "x.json:1: unknown key 'Silo:LaneCount', known here: Name, Roles,")]
    public void An_unknown_key_is_named_with_its_line_and_what_was_meant(string json, string expected)
        => Assert.StartsWith(expected, Fails(json), StringComparison.Ordinal);

    [Theory]
    [InlineData("\"Limits\": { \"HandshakeTime\": \"10 parsecs\" }", "Limits:HandshakeTime: \"10 parsecs\" is not valid, expected a time such as")]
    [InlineData("\"Limits\": { \"HandshakeTime\": 10 }", "Limits:HandshakeTime: \"10\" is not valid, expected a time such as")]
    [InlineData("\"Limits\": { \"Connections\": \"many\" }", "Limits:Connections: \"many\" is not valid, expected a whole number")]
    [InlineData("\"Limits\": { \"Connections\": 1.5 }", "Limits:Connections: \"1.5\" is not valid, expected a whole number")]
    [InlineData("\"Limits\": { \"Connections\": 0 }", "Limits:Connections: \"0\" is not valid, expected at least 1")]
    [InlineData("\"Cluster\": { \"CapsuleLifetime\": \"0s\" }", "Cluster:CapsuleLifetime: \"0s\" is not valid, expected 00:00:01 to 365.00:00:00")]
    [InlineData("\"Silo\": { \"Lanes\": 2000 }", "Silo:Lanes: \"2000\" is not valid, expected 0 to 1024")]
    [InlineData("\"Limits\": { \"Connections\": 99999999999 }", "Limits:Connections: \"99999999999\" is not valid, expected a whole number")]
    [InlineData("\"Engine\": \"Warp\"", "Engine: \"Warp\" is not valid, expected one of Auto, Managed, IpsecMb")]
    [InlineData("\"Engine\": \"1\"", "Engine: \"1\" is not valid, expected one of Auto, Managed, IpsecMb")]
    [InlineData("\"Silo\": { \"Roles\": \"Handshake, Cook\" }", "Silo:Roles: \"Handshake, Cook\" is not valid, expected some of None, Handshake, Data")]
    [InlineData("\"Silo\": { \"Link\": \"127.0.0.1\" }", "Silo:Link: \"127.0.0.1\" is not valid, expected host:port")]
    [InlineData("\"Gateway\": { \"Listen\": [ \"example.com:80\" ] }", "Gateway:Listen:0: \"example.com:80\" is not valid, expected host:port")]
    [InlineData("\"Gateway\": { \"Listen\": [ \"127.0.0.1:65536\" ] }", "Gateway:Listen:0: \"127.0.0.1:65536\" is not valid, expected host:port")]
    [InlineData("\"WatchParent\": \"yes\"", "WatchParent: \"yes\" is not valid, expected true or false")]
    [InlineData("\"Limits\": 5", "Limits: \"5\" is not valid, expected a section with the keys HandshakeTime")]
    [InlineData("\"Certificates\": \"a.crt\"", "Certificates: \"a.crt\" is not valid, expected a list")]
    [InlineData("\"Certificates\": { \"first\": { \"Key\": \"k\" } }", "Certificates:first: elements of a list are numbered from 0, 'first' is not a number")]
    [InlineData("\"Cluster\": { \"Id\": [ \"a\" ] }", "Cluster:Id is a single value, not a section or a list")]
    public void A_bad_value_is_named_with_its_line_and_what_is_expected(string member, string expected)
        => Assert.StartsWith("x.json:3: " + expected, Fails("{\n\n" + member + "}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("{\n \"Limits\": {\n", "x.json:3: not valid JSON: ")]
    [InlineData("{\n \"Limits\" }", "x.json:2: not valid JSON: ")]
    [InlineData("{} x", "x.json:1: not valid JSON: ")]
    [InlineData("", "x.json:1: not valid JSON: ")]
    [InlineData("[ 1 ]", "x.json:1: expected an object")]
    [InlineData("7", "x.json:1: expected an object")]
    [InlineData("{ \"Limits\": {\n \"Connections\": 1,\n \"connections\": 2 } }", "x.json:3: the key 'Limits:connections' is there twice")]
    public void What_is_not_json_is_named_with_its_line(string json, string expected)
        => Assert.StartsWith(expected, Fails(json), StringComparison.Ordinal);

    [Fact]
    public void Errors_in_variables_and_arguments_name_them()
    {
        Assert.StartsWith("environment variable CSSL_Limits__Conections: unknown key 'Limits:Conections', did you mean 'Limits:Connections'?", Fails(null, new Hashtable { ["CSSL_Limits__Conections"] = "1" }), StringComparison.Ordinal);
        Assert.StartsWith("command line: Limits:Connections: \"x\" is not valid", Fails(null, args: "--Limits:Connections=x"), StringComparison.Ordinal);
        Assert.Equal("command line: 'status' is not understood, expected --Section:Key=value", Fails(null, args: "status"));
        Assert.Equal("command line: --Engine needs a value: --Engine=…", Fails(null, args: "--Engine"));
        Assert.StartsWith("nowhere.json: can't be read: ", Fails(null, args: "--config=nowhere.json"), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_contradict_each_other_are_an_error()
        => Assert.StartsWith("x.json:1: Link:PeerTimeout is 00:00:00.1000000", Fails("""{ "Link": { "PeerTimeout": "100ms" } }"""), StringComparison.Ordinal);

    [Fact]
    public void Null_leaves_the_default()
        => Assert.Equal(new LimitsOptions().Connections, Load("""{ "Limits": { "Connections": null } }""").Settings.Limits.Connections);

    [Fact]
    public void Builder_gives_the_same_options_in_every_way_that_dotnet_knows()
    {
        var builder = CsslConfiguration.CreateBuilder(Load("""{ "Link": { "PingInterval": "100ms" }, "Limits": { "HandshakeTime": "5s" } }"""));
        Assert.Equal(TimeSpan.FromSeconds(5), builder.Settings().Limits.HandshakeTime);
        Assert.Equal(TimeSpan.FromMilliseconds(100), builder.Configuration.GetSection("Link").Get<LinkOptions>()!.PingInterval);
        using var services = builder.Services.BuildServiceProvider();
        Assert.Equal(TimeSpan.FromMilliseconds(100), services.GetRequiredService<IOptions<LinkOptions>>().Value.PingInterval);
        Assert.Same(builder.Settings().Limits, services.GetRequiredService<IOptions<LimitsOptions>>().Value);
    }

    [Fact]
    public void Origin_of_a_key_is_where_it_was_set_last()
    {
        var loaded = Load("{\n\"Cluster\": {\n\"Id\": \"x\" } }", new Hashtable { ["CSSL_Cluster__KeyFile"] = "k" });
        Assert.Equal("x.json:3", loaded.OriginOf("Cluster:Id"));
        Assert.Equal("environment variable CSSL_Cluster__KeyFile", loaded.OriginOf("cluster:keyfile"));
        Assert.True(loaded.IsSet("Cluster"));
        Assert.False(loaded.IsSet("Cluster:Database"));
    }

    [Theory]
    [InlineData("Silo:Name", "a b")]
    [InlineData("Silo:Name", "")]
    [InlineData("Gateway:Name", "edge/1")]
    [InlineData("Gateway:Name", "12345678901234567890123456789012345678901234567890123456789012345")]
    public void A_name_that_no_process_may_have_is_refused_where_it_is_read(string key, string name)
    {
        var message = Fails(json: null, new Hashtable { [$"CSSL_{key.Replace(":", "__", StringComparison.Ordinal)}"] = name });
        Assert.Contains($"{key}: \"{name}\" is not valid, expected 1 to 64 letters, digits", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:0", true)]
    [InlineData("[::1]:9444", true)]
    [InlineData("10.0.0.7:9444", false)]
    [InlineData("*:9444", false)]
    public void Dashboard_without_a_password_is_for_loopback_only(string admin, bool isAllowed)
    {
        string[] args = ["--Admin:OrleansDashboard=true", $"--Silo:Admin={admin}"];
        if (isAllowed)
            Assert.True(Load(json: null, args: args).Settings.Admin.OrleansDashboard);
        else
            Assert.Contains("Silo:Admin must be a loopback address", Fails(json: null, args: args), StringComparison.Ordinal);
    }

    private LoadedConfiguration Load(string? json, IDictionary? environment = null, params string[] args)
    {
        if (json is not null)
        {
            File.WriteAllText(_folder.File("x.json"), json);
            args = ["--config", "x.json", .. args];
        }

        return CsslConfiguration.Load(args, environment ?? new Hashtable(), _folder.Path);
    }

    private string Fails(string? json, IDictionary? environment = null, params string[] args)
    {
        var message = Assert.Throws<ConfigurationException>(() => Load(json, environment, args)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
