using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Forwarding;

/// <summary>Tests by the bytes on the wire, on both sides of the cluster.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ByBytes : ICollectionFixture<RawOriginSite>
{
    public const string Name = "by bytes";
}

/// <summary>A cluster in front of a <see cref="RawOrigin"/>; what begins with /h2/ goes to an origin that speaks HTTP/2, and of /limited/ the operator limits the time without activity.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "IAsyncLifetime.DisposeAsync disposes.")]
public sealed class RawOriginSite : IAsyncLifetime
{
    private RawOrigin? _origin;
    private TestOrigin? _http2Origin;
    private Cluster? _cluster;

    public Cluster Cluster => _cluster ?? throw new InvalidOperationException("not started");

    public TestOrigin Http2Origin => _http2Origin ?? throw new InvalidOperationException("not started");

    internal RawOrigin Origin => _origin ?? throw new InvalidOperationException("not started");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _origin = new RawOrigin();
        _http2Origin = await TestOrigin.StartAsync();
        _cluster = await Cluster.StartAsync(new ClusterSettings
        {
            DataSilos = 1,
            Arguments =
            [
                .. Route("web", "/{**path}", _origin.Address),
                .. Route("limited", "/limited/{**path}", _origin.Address),
                "--ReverseProxy:Clusters:limited:HttpRequest:ActivityTimeout=00:00:02",
                .. Route("h2", "/h2/{**path}", _http2Origin.Http2Address),
                "--ReverseProxy:Clusters:h2:HttpRequest:Version=2",
                "--ReverseProxy:Clusters:h2:HttpRequest:VersionPolicy=RequestVersionExact",
            ],
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
        if (_origin is not null)
            await _origin.DisposeAsync();
        if (_http2Origin is not null)
            await _http2Origin.DisposeAsync();
    }

    /// <summary>A client that has shaken hands, for HTTP/1.1.</summary>
    internal async Task<RawPeer> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", Cluster.Port);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(Web.Trusting(Cluster)).WaitAsync(Tool.DefaultDeadline);
        return new RawPeer(tls, socket);
    }

    /// <summary>Both ends of a connection that is upgraded to WebSocket.</summary>
    internal async Task<(RawPeer Client, RawPeer Origin)> UpgradeAsync(string path)
    {
        RawPeer client = await ConnectAsync();
        await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        RawPeer origin = await Origin.RequestAsync(path);
        await AcceptAsync(origin);
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        return (client, origin);
    }

    /// <summary>The origin agrees to the upgrade that it was asked for.</summary>
    internal static Task AcceptAsync(RawPeer origin)
    {
        string key = origin.Head.Split("\r\n").First(static line => line.StartsWith("Sec-WebSocket-Key: ", StringComparison.OrdinalIgnoreCase))["Sec-WebSocket-Key: ".Length..];
        return origin.SendAsync($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {AcceptOf(key)}\r\n\r\n");
    }

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "RFC 6455 section 4.2.2 names it.")]
    private static string AcceptOf(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));

    private static string[] Route(string name, string path, string address) =>
    [
        $"--ReverseProxy:Routes:{name}:ClusterId={name}",
        $"--ReverseProxy:Routes:{name}:Match:Path={path}",
        $"--ReverseProxy:Clusters:{name}:Destinations:one:Address={address}",
    ];
}
