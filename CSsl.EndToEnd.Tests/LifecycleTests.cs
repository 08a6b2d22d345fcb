using System.Net;
using System.Net.Sockets;
using CSsl.EndToEnd.Tests.Survival;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>`cssl up` and `cssl serve` as processes: how they start, fail, lose a part, and stop.</summary>
[Collection(WaitingForUp.Name)]
public sealed class LifecycleTests(ITestOutputHelper output)
{
    private const int BadConfiguration = 2, InUse = 3;

    [Fact]
    public async Task Termination_stops_every_process_with_exit_code_0()
    {
        await using Cluster cluster = await StartAsync(new ClusterSettings());
        IReadOnlyList<ClusterProcess> processes = await cluster.StatusAsync();
        Assert.Equal(4, processes.Count);

        await cluster.StopAsync();

        Assert.DoesNotContain(processes, process => ProcFs.IsAlive(process.ProcessId));
    }

    [Fact]
    public async Task Nothing_is_left_when_cssl_is_killed()
    {
        await using Cluster cluster = await StartAsync(new ClusterSettings());
        IReadOnlyList<int> children = ProcFs.Descendants(cluster.ProcessId);
        Assert.Equal(5, children.Count); // gateway, three silos, origin

        ProcFs.Signal(cluster.ProcessId, ProcFs.SigKill);

        await Eventually.TrueAsync(() => !children.Any(ProcFs.IsAlive), "the children have ended");
    }

    [Fact]
    public async Task Port_in_use_is_one_clear_line_and_exit_code_3()
    {
        using var folder = new TempDirectory();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;

        ToolResult result = await Cssl.RunAsync(["up", "--https", $"{port}", "--admin", $"{Ports.Free(1)[0]}", "--state", folder.Path]);

        Assert.Equal(InUse, result.ExitCode);
        string line = Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.Contains($"{port}", line, StringComparison.Ordinal);
        Assert.Contains("in use", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("up")]
    [InlineData("serve")]
    public async Task Unknown_configuration_key_is_named_with_its_line(string command)
    {
        using var folder = new TempDirectory();
        await File.WriteAllTextAsync(folder.File("cssl.json"), "{\n  \"Limits\": {\n    \"HandshakeTiem\": \"5s\"\n  }\n}\n");

        ToolResult result = await Cssl.RunAsync([command, "--config", folder.File("cssl.json")]);

        Assert.Equal(BadConfiguration, result.ExitCode);
        Assert.Contains("cssl.json:3", result.Error, StringComparison.Ordinal);
        Assert.Contains("HandshakeTiem", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_certificate_is_named()
    {
        using var folder = new TempDirectory();
        await File.WriteAllTextAsync(folder.File("bad.crt"), "no certificate");
        await File.WriteAllTextAsync(folder.File("bad.key"), "no key");
        int[] ports = Ports.Free(2);

        ToolResult result = await Cssl.RunAsync(
            ["up", "--https", $"{ports[0]}", "--admin", $"{ports[1]}", "--state", folder.Path,
             "--Certificates:0:Names=localhost", $"--Certificates:0:Certificate={folder.File("bad.crt")}", $"--Certificates:0:Key={folder.File("bad.key")}"]);

        Assert.Equal(BadConfiguration, result.ExitCode);
        Assert.Contains("bad.crt", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_shows_each_process()
    {
        await using Cluster cluster = await StartAsync(new ClusterSettings());

        string table = (await Cssl.RunAsync(["status", "--admin", $"{cluster.AdminPort}"])).Succeeded().Output;

        foreach (ClusterProcess process in await cluster.StatusAsync())
        {
            Assert.Contains(process.Name, table, StringComparison.Ordinal);
            Assert.Contains($"{process.ProcessId}", table, StringComparison.Ordinal);
            Assert.Equal("Active", process.State);
            Assert.True(ProcFs.IsAlive(process.ProcessId));
        }
    }

    [Fact]
    public async Task Status_of_nothing_is_a_clear_error()
    {
        ToolResult result = await Cssl.RunAsync(["status", "--admin", $"{Ports.Free(1)[0]}"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("is the cluster up?", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("handshake-1")]
    [InlineData("data-1")]
    public async Task New_connections_are_served_by_others_when_a_silo_is_killed(string victim)
    {
        await using Cluster cluster = await StartAsync(new ClusterSettings { HandshakeSilos = 2, Arguments = ["--no-restart"] });
        ClusterProcess silo = await cluster.ProcessAsync(victim);

        ProcFs.Signal(silo.ProcessId, ProcFs.SigKill);

        // The link breaks at once: from the first connection on, others serve. One may have been on its way.
        await Eventually.TrueAsync(() => !ProcFs.IsAlive(silo.ProcessId), "the silo is dead");
        int failures = 0;
        for (int i = 0; i < 20; i++)
            failures += (await cluster.CurlAsync("/")).ExitCode == 0 ? 0 : 1;
        Assert.InRange(failures, 0, 1);
    }

    [Fact]
    public async Task Hung_handshake_silo_costs_clients_a_moment_and_not_their_connections()
    {
        const int Clients = 16, Later = 10;
        await using Cluster cluster = await StartAsync(new ClusterSettings { HandshakeSilos = 2, DataSilos = 1 });
        ClusterProcess silo = await cluster.ProcessAsync("handshake-1");
        KeepAliveClient[] clients = [.. Enumerable.Range(0, Clients).Select(_ => new KeepAliveClient(cluster))];
        long started = await StartedAsync();
        ProcFs.Signal(silo.ProcessId, ProcFs.SigStop);
        try
        {
            // Some of these are given to the hung silo before it is known to be. Their handshakes start over at the other one, which counts again, and the clients don't notice.
            await Task.WhenAll(clients.Select(static client => client.Http.GetByteArrayAsync("/")));
            Assert.All(clients, static client => Assert.Equal(1, client.Connections));
            long known = await StartedAsync();
            Assert.True(known - started > Clients, "none was given to the hung silo");

            // None is given to it any more.
            for (int i = 0; i < Later; i++)
                (await cluster.CurlAsync("/")).Succeeded();
            Assert.Equal(Later, await StartedAsync() - known);
        }
        finally
        {
            ProcFs.Signal(silo.ProcessId, ProcFs.SigCont);
            Array.ForEach(clients, static client => client.Dispose());
        }

        Task<long> StartedAsync() => cluster.CounterAsync("cssl_gateway_handshakes_started_total ");
    }

    [Fact]
    public async Task Killed_silo_is_started_again_and_serves()
    {
        await using Cluster cluster = await StartAsync(new ClusterSettings { DataSilos = 1 });
        ClusterProcess silo = await cluster.ProcessAsync("handshake-1");

        ProcFs.Signal(silo.ProcessId, ProcFs.SigKill);

        await Eventually.TrueAsync(async () => (await cluster.CurlAsync("/")).ExitCode == 0, "the only handshake silo is back");
        Assert.NotEqual(silo.ProcessId, (await cluster.StatusAsync()).Single(process => process.Name == "handshake-1" && process.State == "Active").ProcessId);
    }

    private async Task<Cluster> StartAsync(ClusterSettings settings)
    {
        Cluster cluster = await Cluster.StartAsync(settings);
        output.WriteLine($"cssl {settings.Command} is process {cluster.ProcessId}");
        return cluster;
    }
}
