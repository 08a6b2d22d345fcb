using System.Net.Sockets;
using System.Text.Json;
using CSsl.Hosting;

namespace CSsl.Cli.Up.Control;

/// <summary>Asks a running <c>cssl up</c>.</summary>
internal static class ControlClient
{
    /// <summary>Sends a request and waits for the answer.</summary>
    public static async Task<ControlAnswer> AskAsync(string path, ControlRequest request, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(request, ControlJson.Options), (byte)'\n'], cancellationToken);
            using var answer = new MemoryStream();
            await stream.CopyToAsync(answer, cancellationToken);
            return JsonSerializer.Deserialize<ControlAnswer>(answer.ToArray(), ControlJson.Options) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is SocketException or ArgumentOutOfRangeException)
        {
            return Failed($"no `cssl up` takes requests at {path} (--admin or --state if it is another one)");
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return Failed($"`cssl up` ended before it had answered: {e.Message}");
        }
    }

    private static ControlAnswer Failed(string message) => new() { Message = message, ExitCode = ExitCodes.Failure };
}
