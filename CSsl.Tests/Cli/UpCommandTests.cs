using System.Net;
using System.Net.Sockets;
using CSsl.Cli.Up;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli;

/// <summary>What <c>cssl up</c> refuses, and how it says so: one line, and an exit code.</summary>
public sealed class UpCommandTests : IDisposable
{
    private readonly TempDirectory _state = new();

    public void Dispose() => _state.Dispose();

    [Fact]
    public async Task Up_names_the_port_in_use_and_who_has_it()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var (exitCode, error) = await UpAsync("--https", $"{port}", "--admin", "0");
        Assert.Equal(3, exitCode);
        Assert.Matches($@"^cssl: port {port} is in use by .+ \(pid {Environment.ProcessId}\)\n$", error);
    }

    [Fact]
    public async Task Up_refuses_a_state_folder_in_use()
    {
        using var claim = StateFolder.Create(_state.Path).Claim();
        var (exitCode, error) = await UpAsync("--https", "0", "--admin", "0");
        Assert.Equal(3, exitCode);
        Assert.Equal($"cssl: the state folder {_state.Path} is in use by the process {Environment.ProcessId}: stop it, or take another folder with --state\n", error);
    }

    [Fact]
    public async Task Up_names_a_wrong_key_with_its_line_and_starts_nothing()
    {
        File.WriteAllText(_state.File("x.json"), "{\n\"Limits\": { \"HandshakTime\": \"5s\" } }");
        var (exitCode, error) = await UpAsync("--config", _state.File("x.json"));
        Assert.Equal(2, exitCode);
        Assert.Equal($"cssl: {_state.File("x.json")}:2: unknown key 'Limits:HandshakTime', did you mean 'Limits:HandshakeTime'?\n", error);
    }

    [Fact]
    public async Task Up_refuses_an_address_that_is_not_this_machines()
    {
        var (exitCode, error) = await UpAsync("--https", "192.0.2.1:443", "--admin", "0");
        Assert.Equal(1, exitCode);
        Assert.StartsWith("cssl: can't listen on 192.0.2.1:443: ", error, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Error)> UpAsync(params string[] arguments)
    {
        var result = await Cssl.RunAsync(["up", "--state", _state.Path, .. arguments]);
        Assert.Equal("", result.Output);
        return (result.ExitCode, result.Error);
    }
}
