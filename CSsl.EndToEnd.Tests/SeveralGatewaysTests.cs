using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Gateways that share a port: each knows the whole cluster, and one that leaves parts from its clients in peace.</summary>
[Collection(OwnCluster.Name)]
public sealed class SeveralGatewaysTests
{
    private const string Ok = "HTTP/1.1 200";

    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET /bytes/10 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Gateway_that_leaves_closes_its_idle_clients_and_nobody_elses()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { DataSilos = 1, Arguments = ["--gateways", "2", "--no-restart"] });
        string[] gateways = [.. (await cluster.StatusAsync()).Where(static process => process.Kind == "gateway").Select(static process => process.Name)];
        Assert.Equal(["gateway-1", "gateway-2"], gateways);

        // The kernel spreads them; that all thirty are at one gateway happens once in a billion runs.
        List<SslStream> clients = [];
        for (int i = 0; i < 30; i++)
        {
            clients.Add(await ConnectAsync(cluster));
            Assert.StartsWith(Ok, await GetAsync(clients[^1]), StringComparison.Ordinal);
        }

        Task<string>[] next = [.. clients.Select(ReadAsync)];
        int leaving = (await cluster.StatusAsync()).Single(static process => process.Name == "gateway-2").ProcessId;
        ProcFs.Signal(leaving, ProcFs.SigTerm);
        await Eventually.TrueAsync(() => !ProcFs.IsAlive(leaving), "the gateway has left");

        // Who comes now is served.
        await using SslStream late = await ConnectAsync(cluster);
        Assert.StartsWith(Ok, await GetAsync(late), StringComparison.Ordinal);

        int closed = 0;
        for (int i = 0; i < clients.Count; i++)
        {
            if (next[i].IsCompleted)
            {
                // To its end, not a reset.
                Assert.Empty(await next[i]);
                closed++;
            }
            else
            {
                await clients[i].WriteAsync(Request);
                Assert.StartsWith(Ok, await next[i].WaitAsync(Patience), StringComparison.Ordinal);
            }

            await clients[i].DisposeAsync();
        }

        Assert.InRange(closed, 1, clients.Count - 1);
    }

    private static async Task<SslStream> ConnectAsync(Cluster cluster)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", cluster.Port);
        var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(Web.Trusting(cluster));
        return tls;
    }

    private static async Task<string> GetAsync(SslStream client)
    {
        await client.WriteAsync(Request);
        return await ReadAsync(client).WaitAsync(Patience);
    }

    /// <summary>What comes next; empty at the end.</summary>
    private static async Task<string> ReadAsync(SslStream client)
    {
        byte[] answer = new byte[4096];
        int length = await client.ReadAsync(answer);
        return Encoding.ASCII.GetString(answer, 0, length);
    }
}
