using System.Net;
using System.Net.Sockets;
using CSsl.Gateway;
using CSsl.Gateway.Connections;
using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace CSsl.Tests.Gateway.Connections;

/// <summary>What pipes can't show: Kestrel's sockets as the gateway sets them up.</summary>
public sealed class ClientSocketTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Socket _client = new(SocketType.Stream, ProtocolType.Tcp);
    private IConnectionListener _listener = null!;
    private ConnectionContext _connection = null!;
    private ClientSocket _socket = null!;

    public async ValueTask InitializeAsync()
    {
        var options = new SocketTransportOptions();
        new GatewayListeners(Options.Create(new GatewayOptions())).Configure(options);
        _listener = await new SocketTransportFactory(Options.Create(options), NullLoggerFactory.Instance).BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        await _client.ConnectAsync(_listener.EndPoint);
        _connection = (await _listener.AcceptAsync().AsTask().WaitAsync(Patience))!;
        _socket = new ClientSocket(_connection);
    }

    public void Dispose() => _client.Dispose();

    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _connection.DisposeAsync();
        await _listener.DisposeAsync();
    }

    [Fact]
    public async Task Reset_is_a_real_one()
    {
        _socket.Reset("test");
        var error = await Assert.ThrowsAsync<SocketException>(async () => await ReceiveAsync(1));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
    }

    [Fact]
    public async Task Closed_output_is_fin_behind_the_last_byte_and_the_input_stays_open()
    {
        await _socket.Output.WriteAsync(new byte[] { 1, 2, 3 });
        _socket.CloseOutput();
        Assert.Equal([1, 2, 3], await ReceiveAsync(3));
        Assert.Empty(await ReceiveAsync(1));

        await _client.SendAsync(new byte[] { 4, 5 });
        var result = await _socket.Input.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(2, result.Buffer.Length);
        _socket.Input.AdvanceTo(result.Buffer.End);
    }

    [Fact]
    public async Task Flush_completes_once_the_kernel_has_taken_everything_and_no_earlier()
    {
        const int Length = 64 * 1024 * 1024;
        var flush = _socket.Output.WriteAsync(new byte[Length]).AsTask();
        Assert.False(flush.IsCompleted);

        var received = 0;
        var buffer = new byte[1024 * 1024];
        while (received < Length)
            received += await _client.ReceiveAsync(buffer).WaitAsync(Patience);
        await flush.WaitAsync(Patience);
    }

    [Fact]
    public void Addresses_are_those_of_the_client_and_of_the_listener()
    {
        Assert.Equal(((IPEndPoint)_client.LocalEndPoint!).Port, _socket.Remote.Port);
        Assert.Equal(IPAddress.Loopback, _socket.Remote.Address);
        Assert.Equal(_listener.EndPoint, _socket.Local);
    }

    private async Task<byte[]> ReceiveAsync(int length)
    {
        var bytes = new byte[length];
        var received = 0;
        while (received < length)
        {
            var read = await _client.ReceiveAsync(bytes.AsMemory(received)).AsTask().WaitAsync(Patience);
            if (read == 0)
                break;
            received += read;
        }

        return bytes[..received];
    }
}
