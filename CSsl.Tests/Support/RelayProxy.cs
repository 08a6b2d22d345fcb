using System.Net;
using System.Net.Sockets;

namespace CSsl.Tests.Support;

/// <summary>Changes how a client's byte stream is cut, never what it says.</summary>
internal interface IReshaping
{
    /// <summary>Takes what the client sent and gives the pieces to send now, one segment each. Called once more with nothing at the client's end.</summary>
    IEnumerable<ReadOnlyMemory<byte>> Reshape(ReadOnlyMemory<byte> bytes);
}

/// <summary>A TCP relay between a real client and the gateway, which sends each piece in a segment of its own.</summary>
internal sealed class RelayProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly Func<IReshaping> _reshaping;
    private readonly Task _accepting;
    private readonly List<Task> _relays = [];

    /// <param name="target">Port on 127.0.0.1 to relay to.</param>
    /// <param name="reshaping">Makes one for each connection.</param>
    public RelayProxy(int target, Func<IReshaping> reshaping)
    {
        (_target, _reshaping) = (target, reshaping);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Its own port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Segments sent to the gateway so far.</summary>
    public int Segments { get; private set; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_relays).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
            _relays.Add(RelayAsync(await _listener.AcceptSocketAsync(_stop.Token)));
    }

    private async Task RelayAsync(Socket client)
    {
        using (client)
        using (var gateway = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true })
        {
            client.NoDelay = true;
            await gateway.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            Task sending = SendAsync(client, gateway), answering = AnswerAsync(gateway, client);
            await Task.WhenAny(sending, answering);
            if (answering.IsFaulted || sending.IsFaulted)
                client.Close(timeout: 0); // what one side did, a reset, the other one sees too
            await Task.WhenAll(sending, answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendAsync(Socket client, Socket gateway)
    {
        IReshaping reshaping = _reshaping();
        byte[] buffer = new byte[64 * 1024];
        int read;
        do
        {
            read = await client.ReceiveAsync(buffer, _stop.Token);
            foreach (ReadOnlyMemory<byte> piece in reshaping.Reshape(buffer.AsMemory(0, read)))
            {
                await gateway.SendAsync(piece, _stop.Token);
                Segments++;
            }
        }
        while (read > 0);
        gateway.Shutdown(SocketShutdown.Send);
    }

    private async Task AnswerAsync(Socket gateway, Socket client)
    {
        byte[] buffer = new byte[64 * 1024];
        for (int read; (read = await gateway.ReceiveAsync(buffer, _stop.Token)) > 0;)
            await client.SendAsync(buffer.AsMemory(0, read), _stop.Token);
        client.Shutdown(SocketShutdown.Send);
    }
}
