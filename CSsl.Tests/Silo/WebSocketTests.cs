using System.Net.WebSockets;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class WebSocketTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Messages_go_both_ways_and_the_close_handshake_is_the_origins(string version)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = EchoAsync;
        using var invoker = new HttpMessageInvoker(silo.NewHandler());
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = Version.Parse(version);
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var patience = new CancellationTokenSource(TestSilo.Patience);
        await socket.ConnectAsync(new Uri("wss://localhost/ws"), invoker, patience.Token);

        foreach (var size in new[] { 1, 1000, 100_000 })
        {
            var message = new byte[size];
            new Random(size).NextBytes(message);
            await socket.SendAsync(message, WebSocketMessageType.Binary, true, patience.Token);
            Assert.Equal(message, await ReceiveAsync(socket, patience.Token));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", patience.Token);
        Assert.Equal("bye", socket.CloseStatusDescription);
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        while (await ReceiveAsync(socket, context.RequestAborted) is { } message)
            await socket.SendAsync(message, WebSocketMessageType.Binary, true, context.RequestAborted);
        await socket.CloseAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, context.RequestAborted);
    }

    private static async Task<byte[]?> ReceiveAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
                return message.ToArray();
        }
    }
}
