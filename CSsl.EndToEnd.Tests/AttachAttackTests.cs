using System.Text;
using CSsl.Link;
using CSsl.Tests.Silo;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>
/// Somebody who has the cluster key, and a session's capsule with a request of its client, speaks to the data links of two silos: processes of their own, without a gateway.
/// </summary>
[Collection(OwnCluster.Name)]
public sealed class AttachAttackTests(TestCertificates certificates) : IClassFixture<TestCertificates>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _folder = new();
    private StandaloneCluster _cluster = null!;
    private TestOrigin _origin = null!;
    private TestGateway _one = null!;
    private TestGateway _two = null!;
    private int _orders;

    public async ValueTask InitializeAsync()
    {
        _origin = await TestOrigin.StartAsync();
        _origin.Handler = context =>
        {
            Interlocked.Increment(ref _orders);
            return context.Response.WriteAsync("done");
        };
        _cluster = new StandaloneCluster("blue", _folder.File("cluster.db"), certificates);
        int[] ports = Ports.Free(2);
        _one = await StartAsync("one", ports[0]);
        _two = await StartAsync("two", ports[1]);
    }

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _cluster.DisposeAsync();
        await _origin.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Capsule_with_the_same_records_at_two_silos_is_served_by_one_and_a_POST_is_done_once()
    {
        Attach attach = NewAttach(Guid.NewGuid());
        byte[] order = NewOrder();
        GatewayChannel served = _one.Attach(attach);
        await served.SendAsync(order);
        Assert.NotNull(await served.NextAsync());

        foreach (Attach again in new[] { attach, attach with { Generation = 2 }, attach with { Cause = AttachCause.Wake, Generation = 3 } })
        {
            GatewayChannel refused = _two.Attach(again);
            await refused.SendAsync(order);
            Assert.Null(await refused.NextAsync());
            Assert.Equal(CloseReason.Superseded, await refused.Closed);
        }

        // The first silo stops before the second begins; and what the first has had is not done again, whatever is said of it.
        GatewayChannel takenOver = _two.Attach(attach with { Cause = AttachCause.Takeover, Generation = 4, Takeovers = 1 });
        await takenOver.SendAsync(order);
        using var client = new TestClient(DirectSession.NewSession(CipherSuite.Aes128GcmSha256));
        List<byte[]> sealedThere = await takenOver.NextRecordsAsync(2);
        Assert.Equal(ContentType.Handshake, client.Open(sealedThere[0]).Type);
        client.Reader.UpdateKey();
        Assert.StartsWith("HTTP/1.1 502", Encoding.ASCII.GetString(client.Open(sealedThere[1]).Content), StringComparison.Ordinal);
        Assert.Equal(CloseReason.Superseded, await served.Closed);
        Assert.Equal(1, Volatile.Read(ref _orders));
    }

    [Fact]
    public async Task Of_two_silos_that_get_a_capsule_at_once_one_serves_it()
    {
        for (var i = 0; i < 5; i++)
        {
            Volatile.Write(ref _orders, 0);
            Attach attach = NewAttach(Guid.NewGuid());
            byte[] order = NewOrder();
            GatewayChannel[] channels = [_one.Attach(attach), _two.Attach(attach)];
            byte[]?[] answers = await Task.WhenAll(channels.Select(async channel =>
            {
                await channel.SendAsync(order);
                return await channel.NextAsync();
            }));

            Assert.Single(answers, static answer => answer is not null);
            Assert.Equal(1, Volatile.Read(ref _orders));
        }
    }

    private async Task<TestGateway> StartAsync(string name, int port)
    {
        _cluster.StartSilo(name, null, $"--Silo:Link=127.0.0.1:{port}", $"--ReverseProxy:Clusters:origin:Destinations:one:Address={_origin.Address}",
            "--ReverseProxy:Routes:all:ClusterId=origin", "--ReverseProxy:Routes:all:Match:Path={**path}");
        byte[] key = Convert.FromBase64String(await File.ReadAllTextAsync(_cluster.KeyFile));
        TestGateway? gateway = null;
        await Eventually.TrueAsync(async () => (gateway = await ConnectAsync(port, key)) is not null, $"{name} listens", Patience);
        await Eventually.TrueAsync(() => IsTakenAsync(gateway!), $"{name} serves", Patience);
        return gateway!;
    }

    private static async Task<TestGateway?> ConnectAsync(int port, byte[] key)
    {
        try
        {
            return await TestGateway.ConnectAsync($"127.0.0.1:{port}", "blue", key);
        }
        catch (LinkException)
        {
            return null; // not yet
        }
    }

    private async Task<bool> IsTakenAsync(TestGateway gateway)
    {
        GatewayChannel channel = gateway.Attach(NewAttach(Guid.NewGuid()));
        bool isTaken = await Task.WhenAny(channel.Attached, channel.Closed) == channel.Attached;
        if (isTaken)
            channel.SendClose(CloseReason.ClientGone);
        return isTaken;
    }

    private Attach NewAttach(Guid id)
    {
        string keys = File.ReadAllText(Path.Combine(Path.GetDirectoryName(_cluster.KeyFile)!, "sealing.key"));
        using var sealer = new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(keys)));
        return DirectSession.NewAttach(sealer, id, DirectSession.NewSession(CipherSuite.Aes128GcmSha256));
    }

    private static byte[] NewOrder()
    {
        using var client = new TestClient(DirectSession.NewSession(CipherSuite.Aes128GcmSha256));
        return client.Seal(ContentType.ApplicationData, "POST /order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
    }
}
