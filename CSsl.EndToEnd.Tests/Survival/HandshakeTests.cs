using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>A handshake silo is lost in the middle of handshakes.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class HandshakeTests(SurvivalSite site, ITestOutputHelper output) : ClusterTest(site.Cluster, output)
{
    private const string Victim = "handshake-1";
    private const int Clients = 16;

    [Fact]
    public async Task Another_silo_starts_over_where_the_client_had_no_answer_yet()
    {
        await site.WholeAsync();
        (long started, long completed) = (await StartedAsync(), await CompletedAsync());
        int pid = (await site.ProcessAsync(Victim)).Pid;

        // It answers nobody; whoever is given to it waits.
        ProcFs.Signal(pid, ProcFs.SigStop);
        Task<SslStream>[] clients = [.. Enumerable.Range(0, Clients).Select(_ => ConnectAsync())];
        await Eventually.TrueAsync(async () => await StartedAsync() - started >= Clients, "every client has been given to a silo");
        ProcFs.Signal(pid, ProcFs.SigKill);

        foreach (SslStream client in await Task.WhenAll(clients).WaitAsync(Tool.DefaultDeadline))
            await client.DisposeAsync();

        // A client's side of a TLS 1.3 handshake is complete before its silo's.
        await Eventually.TrueAsync(async () => await CompletedAsync() - completed >= Clients, "the silos' sides are complete too");
        Assert.True(await StartedAsync() - started > Clients, "none was under way at the silo that was killed");
        await site.WholeAgainAsync(Victim, pid);
    }

    [Fact]
    public async Task Connection_ends_where_the_client_had_an_answer()
    {
        await site.WholeAsync();
        using var withholding = new SecondFlightLater();
        await using var relay = new RelayProxy(site.Cluster.Port, () => withholding);
        await using Tool client = Tool.Start("openssl", SClient.Arguments(site.Cluster, relay.Port, "-ign_eof"), mergeError: true);
        await withholding.HasSecondFlight.WaitAsync(Tool.DefaultDeadline);

        ProcessStatus silo = await BusyAsync();
        ProcFs.Signal(silo.Pid, ProcFs.SigKill);
        withholding.SendSecondFlight();

        ToolResult result = await client.ExitAsync();
        Assert.NotEqual(0, result.ExitCode);
        await site.WholeAgainAsync(silo.Name, silo.Pid);
    }

    /// <summary>The silo that has a handshake under way.</summary>
    private async Task<ProcessStatus> BusyAsync()
    {
        ProcessStatus? silo = null;
        await Eventually.TrueAsync(
            async () => (silo = (await site.ProcessesAsync()).FirstOrDefault(static process => process is { Kind: "silo", Handshakes: > 0 })) is not null, "a silo reports the handshake");
        return silo!;
    }

    /// <summary>Handshakes given to a silo; one that starts over counts again.</summary>
    private Task<long> StartedAsync() => site.Cluster.CounterAsync("cssl_gateway_handshakes_started_total ");

    private Task<long> CompletedAsync() => site.Cluster.CounterAsync("cssl_gateway_handshakes_completed_total ");

    private async Task<SslStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, site.Cluster.Port);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(Web.Trusting(site.Cluster));
        return tls;
    }

    /// <summary>Keeps back what the client says to the server's first flight until it is told to send it. The relay's own thread waits for that.</summary>
    private sealed class SecondFlightLater : IReshaping, IDisposable
    {
        private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _goOn = new();
        private bool _hasFirst;

        /// <summary>The client has answered the server's first flight.</summary>
        public Task HasSecondFlight => _second.Task;

        public void SendSecondFlight() => _goOn.Set();

        public IEnumerable<ReadOnlyMemory<byte>> Reshape(ReadOnlyMemory<byte> bytes)
        {
            if (_hasFirst)
            {
                _second.TrySetResult();
                _goOn.Wait(Tool.DefaultDeadline);
            }

            _hasFirst = true;
            return [bytes];
        }

        public void Dispose() => _goOn.Dispose();
    }
}
