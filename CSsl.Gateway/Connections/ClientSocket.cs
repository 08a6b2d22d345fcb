using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace CSsl.Gateway.Connections;

/// <summary>The gateway's side of one client's TCP connection: two pipes, and the ways to end it that pipes lack.</summary>
internal sealed class ClientSocket(ConnectionContext context)
{
    private static readonly IPEndPoint Unknown = new(IPAddress.None, 0);

    /// <summary>What the client sends.</summary>
    public PipeReader Input { get; } = context.Transport.Input;

    /// <summary>What the client gets. A flush completes once the kernel has taken everything (see <see cref="GatewayListeners"/>).</summary>
    public PipeWriter Output { get; } = context.Transport.Output;

    /// <summary>The client's address.</summary>
    public IPEndPoint Remote { get; } = Plain(context.RemoteEndPoint);

    /// <summary>The address that the client connected to.</summary>
    public IPEndPoint Local { get; } = Plain(context.LocalEndPoint);

    /// <summary>True for what a pipe throws whose socket is reset, aborted or closed.</summary>
    public static bool IsGone(Exception e) => e is IOException or OperationCanceledException or SocketException or ObjectDisposedException;

    /// <summary>Sends FIN behind what was flushed; the other direction stays open, so that the kernel has no reason to answer the client's
    /// last bytes with a reset, which would take from it what it has not read yet.</summary>
    public void CloseOutput()
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
        {
            Output.Complete();
            return;
        }

        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client was faster: there is nothing left to close.
        }
    }

    /// <summary>Everything for the client is with the kernel: gives the descriptor back. Kestrel would, a moment later, when its place is already another client's.</summary>
    public void Close() => context.Features.Get<IConnectionSocketFeature>()?.Socket.Dispose();

    /// <summary>Ends the connection with RST: what the client has got is not the whole.</summary>
    public void Reset(string reason)
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
            Reset(socket);
        context.Abort(new ConnectionAbortedException(reason));
    }

    /// <summary>Closing without lingering is what makes the kernel send RST; Kestrel's own abort shuts down first, which is FIN.</summary>
    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
            socket.Dispose();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }

    /// <summary>An IPv4 client of a listener for both families wears an IPv6 address.</summary>
    private static IPEndPoint Plain(EndPoint? endPoint) => endPoint switch
    {
        IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped => new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port),
        IPEndPoint plain => plain,
        _ => Unknown,
    };
}
