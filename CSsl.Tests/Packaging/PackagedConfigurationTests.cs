using System.Globalization;
using System.Text.RegularExpressions;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Packaging;

/// <summary>What packaging/ tells the processes is what they take: every key exists, every value can be read, and nobody is killed while it drains.</summary>
public sealed partial class PackagedConfigurationTests
{
    /// <summary>What a process may need beyond its DrainTime.</summary>
    private const int AfterDrain = 10;

    private static readonly string Folder = Path.Combine(Repository.Root, "packaging");

    public static TheoryData<string> Configurations => [.. Files("*.json")];

    public static TheoryData<string> Variables => [.. Files("*.service"), .. Files("*.env"), .. Files("*.yaml").Where(static file => Text(file).Contains("containers:", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Configuration_is_read_without_complaint(string file)
    {
        LoadedConfiguration loaded = Load(file);

        Assert.Equal("shop", loaded.Settings.Cluster.Id);
        Assert.False(string.IsNullOrEmpty(loaded.Settings.Cluster.KeyFile));
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public void No_process_is_given_a_key_that_is_not_its_business(string file)
    {
        LoadedConfiguration loaded = Load(file);

        string name = Path.GetFileNameWithoutExtension(file);
        Assert.Equal(name == "handshake", loaded.IsSet("Certificates"));
        Assert.Equal(name != "gateway", loaded.IsSet("Cluster:SealingKeyFile"));
        Assert.Equal(name == "data", loaded.IsSet("ReverseProxy"));
    }

    [Theory]
    [MemberData(nameof(Variables))]
    public void Environment_is_read_without_complaint(string file)
    {
        var environment = Variable().Matches(Text(file)).ToDictionary(
            static match => match.Groups["name"].Value,
            static match => match.Groups["value"] is { Success: true } value ? Expand(value.Value) : FromElsewhere(match.Groups["name"].Value));

        Assert.NotEmpty(environment);
        CsslConfiguration.Load([], environment, Folder);
    }

    /// <summary>What stands for a value that a pod gets from its own metadata or from a secret.</summary>
    private static string FromElsewhere(string variable) => variable.EndsWith("__Name", StringComparison.Ordinal) ? "cssl-data-0" : "Host=db";

    [Theory]
    [InlineData("cssl-gateway.service", "gateway.json", "Gateway")]
    [InlineData("cssl-silo@.service", "handshake.json", "Silo")]
    [InlineData("cssl-silo@.service", "data.json", "Silo")]
    public void Unit_waits_for_the_drain(string unit, string configuration, string section)
    {
        int patience = Number(Text(Path.Combine("systemd", unit)), "TimeoutStopSec=");

        Assert.True(patience > DrainTime(Path.Combine("examples", configuration), section) + AfterDrain);
    }

    /// <summary>getifaddrs is netlink: without it Orleans's client does not start.</summary>
    [Theory]
    [InlineData("cssl-gateway.service")]
    [InlineData("cssl-silo@.service")]
    public void Unit_allows_the_question_for_the_addresses_of_the_machine(string unit)
    {
        string families = Text(Path.Combine("systemd", unit)).Split('\n').Single(static line => line.StartsWith("RestrictAddressFamilies=", StringComparison.Ordinal));

        Assert.Equal(["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"], families.Split('=')[1].Split(' ').Order(StringComparer.Ordinal));
    }

    /// <summary>Nothing answers until a silo has joined; with Orleans a gateway neither, until there is one.</summary>
    [Theory]
    [InlineData("gateway", 600)]
    [InlineData("handshake", 120)]
    [InlineData("data", 120)]
    public void Pod_is_not_killed_while_it_starts(string name, int seconds)
    {
        string manifest = Text(Path.Combine("kubernetes", name + ".yaml"));
        string probe = manifest.Split('\n').Single(static line => line.Contains("startupProbe:", StringComparison.Ordinal));

        Assert.True(Number(probe, "periodSeconds: ") * Number(probe, "failureThreshold: ") >= seconds);
    }

    [Theory]
    [InlineData("gateway", "Gateway", 5)]
    [InlineData("handshake", "Silo", 0)]
    [InlineData("data", "Silo", 0)]
    public void Pod_waits_for_the_drain_and_gets_no_variables_of_services(string name, string section, int pause)
    {
        string manifest = Text(Path.Combine("kubernetes", name + ".yaml"));

        Assert.True(Number(manifest, "terminationGracePeriodSeconds: ") > pause + DrainTime(Path.Combine("kubernetes", name + ".json"), section) + AfterDrain);
        Assert.Contains("enableServiceLinks: false", manifest, StringComparison.Ordinal);
        Assert.Equal(name == "handshake", manifest.Contains("cssl-certificate", StringComparison.Ordinal));
        Assert.Equal(name != "gateway", manifest.Contains("cssl-sealing", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Files(string pattern)
        => Directory.EnumerateFiles(Folder, pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(static file => Path.GetRelativePath(Folder, file));

    private static string Text(string file) => File.ReadAllText(Path.Combine(Folder, file));

    private static LoadedConfiguration Load(string file)
        => CsslConfiguration.Load(["--config", Path.Combine(Folder, file)], new Dictionary<string, string>());

    private static double DrainTime(string file, string section)
    {
        CsslSettings settings = Load(file).Settings;
        return (section == "Gateway" ? settings.Gateway.DrainTime : settings.Silo.DrainTime).TotalSeconds;
    }

    /// <summary>What systemd and Kubernetes put in.</summary>
    private static string Expand(string value)
        => value.Replace("%l", "host", StringComparison.Ordinal).Replace("%i", "data", StringComparison.Ordinal).Replace("$(POD_IP)", "10.1.2.3", StringComparison.Ordinal);

    private static int Number(string text, string after)
        => int.Parse(Regex.Match(text, $"(?<={Regex.Escape(after)})[0-9]+").Value, CultureInfo.InvariantCulture);

    /// <summary>"Environment=CSSL_A=b" of a unit, "CSSL_A=b" of an .env file, "- name: CSSL_A" with or without a value of a manifest. Not what a comment says.</summary>
    [GeneratedRegex("""^(?:Environment=)?(?<name>CSSL_\w+)=(?<value>.*)$|^ +- name: (?<name>CSSL_\w+)\n +(?:value: "(?<value>[^"]*)"|valueFrom)""", RegexOptions.Multiline)]
    private static partial Regex Variable();
}
