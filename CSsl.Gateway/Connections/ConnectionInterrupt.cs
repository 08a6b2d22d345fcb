namespace CSsl.Gateway.Connections;

/// <summary>Ends, from any thread, whatever a connection is waiting for before its data phase. The first reason stays.</summary>
internal sealed class ConnectionInterrupt(ClientSocket socket)
{
    private const int None = -1;

    private int _reason = None;
    private volatile HandshakeChannel? _channel;

    /// <summary>Why; null before <see cref="Set"/>.</summary>
    public RefusalReason? Reason => Volatile.Read(ref _reason) is var reason and not None ? (RefusalReason)reason : null;

    /// <summary>The exchange to end too, from here on.</summary>
    public void Watch(HandshakeChannel? channel)
    {
        _channel = channel;
        if (Reason is not null)
            channel?.Interrupt();
    }

    public void Set(RefusalReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, None) != None)
            return;

        _channel?.Interrupt();
        socket.Input.CancelPendingRead();
        socket.Output.CancelPendingFlush();
    }
}
