using CSsl.Cli.Publish;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli.Publish;

public sealed class PublishTests
{
    private static readonly PublishOptions Options = new("linux-arm64", SelfContained: true, "/nowhere");

    [Fact]
    public void Runtime_that_the_feed_lacks_is_named_with_the_way_out()
    {
        const string Log = """
            /src/CSsl.Silo/CSsl.Silo.csproj : error NU1101: Unable to find package Microsoft.AspNetCore.App.Runtime.linux-arm64. No packages exist with this id in source(s): feed
            /src/CSsl.Cli/CSsl.Cli.csproj : error NU1101: Unable to find package Microsoft.AspNetCore.App.Runtime.linux-arm64. No packages exist with this id in source(s): feed
            /src/CSsl.Cli/CSsl.Cli.csproj : error NU1102: Unable to find package Microsoft.NETCore.App.Runtime.linux-arm64 with version (= 10.0.9)
            """;

        Assert.Equal(
            "the package feed does not have Microsoft.AspNetCore.App.Runtime.linux-arm64, Microsoft.NETCore.App.Runtime.linux-arm64: leave out --self-contained, and install the ASP.NET Core runtime 10 where it is to run",
            DotnetPublish.Explain(Options, Log));
    }

    [Fact]
    public void Package_that_the_feed_lacks_is_named()
        => Assert.Equal(
            "the package feed does not have Microsoft.Orleans.Sdk: see Directory.Packages.props for what is needed",
            DotnetPublish.Explain(Options, "x.csproj : error NU1101: Unable to find package Microsoft.Orleans.Sdk. No packages exist"));

    [Fact]
    public void Any_other_failure_is_told_as_it_is()
        => Assert.Equal("dotnet publish failed:\nerror CS1002: ; expected", DotnetPublish.Explain(Options, " error CS1002: ; expected\n"));

    [Fact]
    public void Only_a_folder_that_publish_made_is_replaced()
    {
        using var folder = new TempDirectory();
        Publisher.RequireOurs(folder.Path);
        Publisher.RequireOurs(folder.File("missing"));

        File.WriteAllText(folder.File("letter.txt"), "dear");
        Assert.Contains("--output", Assert.Throws<ConfigurationException>(() => Publisher.RequireOurs(folder.Path)).Message, StringComparison.Ordinal);
        Assert.Throws<ConfigurationException>(() => Publisher.RequireOurs(folder.File("letter.txt")));

        Directory.CreateDirectory(folder.File("bin"));
        File.WriteAllText(Path.Combine(folder.File("bin"), "CSsl.Gateway.dll"), "");
        Publisher.RequireOurs(folder.Path);
    }

    [Fact]
    public async Task Unknown_runtime_is_exit_code_2()
    {
        ToolResult result = await Cssl.RunAsync(["publish", "--runtime", "windows-x64"]);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("'windows-x64'", result.Error, StringComparison.Ordinal);
    }
}
