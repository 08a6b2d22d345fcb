using System.Net.Sockets;

namespace CSsl.Hosting;

/// <summary>Accepts connections, and does not spin while it can't: out of file descriptors or memory it waits a moment before it tries again. The client waits in the kernel's queue.</summary>
public static class PacedAccept
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>The next connection.</summary>
    /// <param name="listener">A listening socket.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onShort">Called before each pause.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectDisposedException">The listener was closed.</exception>
    /// <exception cref="SocketException">The listener was closed meanwhile (OperationAborted).</exception>
    public static async ValueTask<Socket> AcceptAsync(Socket listener, TimeProvider time, Action<SocketException> onShort, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await listener.AcceptAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // It was reset in the queue: the next one.
            }
            catch (SocketException e) when (e.SocketErrorCode != SocketError.OperationAborted)
            {
                onShort(e);
                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
