using System.Net.Sockets;
using System.Text.Json;
using CSsl.Hosting;

namespace CSsl.Cli.Up.Control;

/// <summary>
/// Where a running <c>cssl up</c> takes requests: a Unix socket in the state folder that only its owner can connect to. One request and one
/// answer per connection; several connections at a time, because a silo takes a while to drain.
/// </summary>
internal sealed class ControlSocket : IAsyncDisposable
{
    /// <summary>Requests under way; more wait to be accepted.</summary>
    public const int MaxRequests = 16;

    private static readonly TimeSpan RequestTime = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly Socket _listener;
    private readonly Func<ControlRequest, CancellationToken, Task<ControlAnswer>> _handle;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _slots = new(MaxRequests);
    private readonly Task _accepting;

    private ControlSocket(string path, Socket listener, Func<ControlRequest, CancellationToken, Task<ControlAnswer>> handle)
    {
        (_path, _listener, _handle) = (path, listener, handle);
        _accepting = AcceptAsync();
    }

    /// <summary>Listens.</summary>
    /// <param name="path">The socket's file; one that is left from a run before is replaced.</param>
    /// <param name="handle">Answers a request.</param>
    /// <exception cref="ArgumentOutOfRangeException">The path is longer than a socket's may be (107 bytes).</exception>
    public static ControlSocket Listen(string path, Func<ControlRequest, CancellationToken, Task<ControlAnswer>> handle)
    {
        var endpoint = new UnixDomainSocketEndPoint(path);
        File.Delete(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // Nobody can connect between the two: it does not listen yet.
            listener.Bind(endpoint);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(8);
            return new ControlSocket(path, listener, handle);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        for (var i = 0; i < MaxRequests; i++)
            await _slots.WaitAsync();
        File.Delete(_path);
        _slots.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _slots.WaitAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            _ = ServeNextAsync(await AcceptOneAsync());
        }
    }

    /// <summary>Null when the client went away before, or this process stops.</summary>
    private async Task<Socket?> AcceptOneAsync()
    {
        try
        {
            return await _listener.AcceptAsync(_stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Serves one, and gives its place to the next.</summary>
    private async Task ServeNextAsync(Socket? connection)
    {
        try
        {
            using (connection)
            {
                if (connection is not null)
                    await ServeAsync(connection);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        {
            // The client went away, or this process stops.
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        await using var stream = new NetworkStream(connection);
        ControlAnswer answer;
        try
        {
            answer = await _handle(await ReadAsync(stream), _stop.Token);
        }
        catch (JsonException e)
        {
            answer = new ControlAnswer { Message = $"not a request: {e.Message}", ExitCode = ExitCodes.BadConfiguration };
        }

        await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(answer, ControlJson.Options), _stop.Token);
    }

    private async Task<ControlRequest> ReadAsync(NetworkStream stream)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        timeout.CancelAfter(RequestTime);
        var line = new byte[ControlJson.MaxLine];
        var length = 0;
        while (length < line.Length && await stream.ReadAsync(line.AsMemory(length), timeout.Token) is > 0 and var read)
        {
            length += read;
            if (line.AsSpan(0, length).IndexOf((byte)'\n') is >= 0 and var end)
                return JsonSerializer.Deserialize<ControlRequest>(line.AsSpan(0, end), ControlJson.Options) ?? throw new JsonException("null");
        }

        throw new JsonException(length == line.Length ? "too long" : "incomplete");
    }
}
