using System.Net;
using System.Net.Sockets;
using CSsl.Silo.Proxy;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Silo.Proxy;

public sealed class TunnelTests
{
    [Fact]
    public async Task Origin_that_is_silent_after_the_clients_end_is_let_go_in_time()
    {
        var time = new FakeTimeProvider();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndpoint);
        using Socket origin = await listener.AcceptSocketAsync();
        await using var stream = new OriginStream(new NetworkStream(socket));
        using var request = new HttpRequestMessage();
        using var answer = new HttpResponseMessage { RequestMessage = request };
        OriginStream.Follow(request);
        await stream.WriteAsync("GET"u8.ToArray());
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpUpgradeFeature>(new EndedClient());
        var tunnel = new Tunnel(context, OriginStream.Of(answer), time, CancellationToken.None);
        await using Stream client = await ((IHttpUpgradeFeature)tunnel).UpgradeAsync();
        byte[] buffer = new byte[16];

        Assert.Equal(0, await client.ReadAsync(buffer));
        Task<int> silence = tunnel.Origin(stream).ReadAsync(buffer).AsTask();
        time.Advance(Tunnel.HalfClosedTime - TimeSpan.FromSeconds(1));
        await origin.SendAsync("x"u8.ToArray());
        Assert.Equal(1, await silence.WaitAsync(Tool.DefaultDeadline));
        silence = tunnel.Origin(stream).ReadAsync(buffer).AsTask();
        time.Advance(Tunnel.HalfClosedTime - TimeSpan.FromSeconds(1));
        Assert.False(silence.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(0, await silence.WaitAsync(Tool.DefaultDeadline));
    }

    private sealed class EndedClient : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => true;

        public Task<Stream> UpgradeAsync() => Task.FromResult<Stream>(new MemoryStream());
    }
}
