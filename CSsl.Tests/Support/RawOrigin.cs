using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace CSsl.Tests.Support;

/// <summary>An HTTP/1.1 origin of sockets and bytes: a test takes each request with its connection, sees every octet of it, and answers as it likes.</summary>
internal sealed class RawOrigin : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<string, Channel<RawPeer>> _requests = new();
    private readonly ConcurrentBag<RawPeer> _peers = [];
    private readonly Task _accepting;

    public RawOrigin()
    {
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    /// <summary>Its port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Its URL.</summary>
    public string Address => $"http://127.0.0.1:{Port}";

    /// <summary>The next request for a path, its head read and nothing behind it.</summary>
    public async Task<RawPeer> RequestAsync(string path) => await Requests(path).Reader.ReadAsync().AsTask().WaitAsync(Tool.DefaultDeadline);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (RawPeer peer in _peers)
            peer.Dispose();
    }

    private Channel<RawPeer> Requests(string path) => _requests.GetOrAdd(path, static _ => Channel.CreateUnbounded<RawPeer>());

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync();
                _ = ServeAsync(new RawPeer(new NetworkStream(socket, ownsSocket: true), socket));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(RawPeer peer)
    {
        _peers.Add(peer);
        try
        {
            await peer.ReadHeadAsync();
        }
        catch (IOException)
        {
            return; // It left without a request.
        }

        string path = peer.Head.Split(' ')[1];
        if (path != "/")
        {
            await Requests(path).Writer.WriteAsync(peer);
            return;
        }

        await peer.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); // cssl up asks for it to see whether it is ready
        peer.Dispose();
    }
}

/// <summary>How the other side ended its direction of a connection.</summary>
internal enum PeerEnd
{
    /// <summary>In order: FIN, or close_notify.</summary>
    InOrder,

    /// <summary>RST.</summary>
    Reset,
}

/// <summary>A connection as bytes. Text is Latin-1: an octet a character.</summary>
internal sealed class RawPeer(Stream stream, Socket socket) : IDisposable
{
    private readonly List<byte> _received = [];

    /// <summary>The last head read, its empty line included.</summary>
    public string Head { get; private set; } = "";

    /// <summary>Below TLS.</summary>
    public Socket Socket => socket;

    /// <summary>What is read and written.</summary>
    public Stream Stream => stream;

    public async Task SendAsync(string text)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask().WaitAsync(Tool.DefaultDeadline);
        await stream.FlushAsync();
    }

    /// <summary>Reads to the end of a head.</summary>
    public async Task<string> ReadHeadAsync() => Head = await ReadThroughAsync("\r\n\r\n");

    /// <summary>Reads until a text has come, and returns all up to it.</summary>
    public async Task<string> ReadThroughAsync(string text)
    {
        while (true)
        {
            string all = Encoding.Latin1.GetString([.. _received]);
            int at = all.IndexOf(text, StringComparison.Ordinal);
            if (at >= 0)
            {
                _received.RemoveRange(0, at + text.Length);
                return all[..(at + text.Length)];
            }

            if (!await ReadSomeAsync())
                throw new EndOfStreamException($"the other side ended after {all}");
        }
    }

    /// <summary>Reads to the end, and tells how it ended and what came before.</summary>
    public async Task<(PeerEnd End, string Text)> ReadToEndAsync()
    {
        try
        {
            while (await ReadSomeAsync())
            {
            }

            return (PeerEnd.InOrder, Encoding.Latin1.GetString([.. _received]));
        }
        catch (IOException e) when (e is not EndOfStreamException)
        {
            return (PeerEnd.Reset, Encoding.Latin1.GetString([.. _received]));
        }
    }

    /// <summary>FIN; reading goes on.</summary>
    public void FinishSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>RST.</summary>
    public void Reset() => socket.Close(0);

    public void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }

    private async Task<bool> ReadSomeAsync()
    {
        byte[] buffer = new byte[16 * 1024];
        int read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Tool.DefaultDeadline);
        _received.AddRange(buffer.AsSpan(0, read));
        return read > 0;
    }
}
