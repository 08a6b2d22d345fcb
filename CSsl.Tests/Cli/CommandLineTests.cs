using System.CommandLine;
using CSsl.Cli.Commands;
using Xunit;

namespace CSsl.Tests.Cli;

public sealed class CommandLineTests
{
    [Fact]
    public void Up_has_the_documented_defaults()
    {
        var options = UpCommand.Read(Parse("up"));
        Assert.Null(options.Https);
        Assert.Null(options.Admin);
        Assert.Equal((1, 2, ".cssl", true), (options.HandshakeSilos, options.DataSilos, options.State, options.Restart));
        Assert.Empty(options.Settings);
    }

    [Fact]
    public void Up_takes_every_option()
    {
        var options = UpCommand.Read(Parse("up", "--https", "1443", "--admin=[::1]:2443", "--handshake", "3", "--data", "4", "--config", "x.json", "--origin", "http://127.0.0.1:80/", "--state", "s", "--no-restart"));
        Assert.Equal(("127.0.0.1:1443", "[::1]:2443", 3, 4), (options.Https, options.Admin, options.HandshakeSilos, options.DataSilos));
        Assert.Equal(("x.json", "http://127.0.0.1:80/", "s", false), (options.Config, options.Origin, options.State, options.Restart));
    }

    [Theory]
    [InlineData("up", "--Limits:HandshakeTime=5s", "--data", "3")]
    [InlineData("up", "--data", "3", "--", "--Limits:HandshakeTime=5s")]
    public void Settings_come_directly_or_after_two_dashes(params string[] args)
    {
        var result = Parse(args);
        Assert.Empty(result.Errors);
        Assert.Equal(3, UpCommand.Read(result).DataSilos);
        Assert.Equal(["--Limits:HandshakeTime=5s"], UpCommand.Read(result).Settings);
    }

    [Theory]
    [InlineData("'--htps' is neither an option nor a setting (--Section:Key=value).", "up", "--htps", "1")]
    [InlineData("--data takes a number from 1 to 64, not '0'.", "up", "--data", "0")]
    [InlineData("records per call must be from 1 to 65536, not 0.", "engine", "--records-per-call", "0")]
    [InlineData("'many' is not a number.", "engine", "--records-per-call", "many")]
    [InlineData("the delay must be from 0 to 10 ms, not 1000 ms.", "engine", "--max-delay", "1s")]
    [InlineData("'soon' is not a time such as 0s, 0.1ms or 2ms.", "engine", "--max-delay", "soon")]
    [InlineData("'x' is not a port or host:port.", "up", "--https", "x")]
    [InlineData("'70000' is not a port or host:port.", "status", "--admin", "70000")]
    [InlineData("'localhost' is not a URL such as http://127.0.0.1:8080.", "up", "--origin", "localhost")]
    [InlineData("Unrecognized command or argument 'fly'.", "fly")]
    public void A_wrong_argument_is_named(string expected, params string[] args)
        => Assert.Contains(Parse(args).Errors, error => error.Message == expected);

    [Theory]
    [InlineData("cssl silo add", "silo", "add", "--roels", "data")]
    [InlineData("cssl status", "status", "--x")]
    [InlineData("cssl", "fly")]
    public void The_command_that_can_help_is_named_in_full(string expected, params string[] args) => Assert.Equal(expected, CsslCommand.CommandPath(Parse(args)));

    [Theory]
    [InlineData("status")]
    [InlineData("drain", "data-1")]
    [InlineData("roles", "data-1", "auto")]
    [InlineData("silo", "add")]
    [InlineData("silo", "remove", "data-1")]
    public void Every_command_for_a_running_cluster_takes_its_admin_endpoint_or_its_state_folder_but_not_both(params string[] command)
    {
        Assert.Empty(Parse([.. command, "--admin", "9443"]).Errors);
        Assert.Empty(Parse([.. command, "--state", "x", "--config", "y.json"]).Errors);
        Assert.Contains("give one of them", Assert.Single(Parse([.. command, "--admin", "9443", "--state", "x"]).Errors).Message, StringComparison.Ordinal);
    }

    private static ParseResult Parse(params string[] args) => CsslCommand.Create().Parse(args);
}
