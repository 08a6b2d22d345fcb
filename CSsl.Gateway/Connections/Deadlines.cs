using CSsl.Hosting.Configuration;

namespace CSsl.Gateway.Connections;

/// <summary>The times that a client may take, and the one timer that watches all of them.</summary>
internal sealed class Deadlines : IDisposable
{
    /// <summary>How long the client may take to receive an alert, and to close its side after we have closed ours.</summary>
    public static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(2);

    /// <summary>How long the client may take to receive the last bytes, at most a channel's credit, when the silo is done.</summary>
    public static readonly TimeSpan DeliveryTime = TimeSpan.FromSeconds(60);

    /// <summary>How long a sleeping client's alert waits for the FIN that follows it.</summary>
    public static readonly TimeSpan CloseNotifyTime = TimeSpan.FromMilliseconds(50);

    /// <summary>A connection may live that much longer than its deadline says.</summary>
    private static readonly TimeSpan Resolution = TimeSpan.FromMilliseconds(100);

    private readonly ITimer _timer;

    public Deadlines(LimitsOptions limits, TimeProvider clock)
    {
        FirstByte = new DeadlineQueue(limits.FirstByteTime, clock);
        Handshake = new DeadlineQueue(limits.HandshakeTime, clock);
        Delivery = new DeadlineQueue(DeliveryTime, clock);
        Linger = new DeadlineQueue(LingerTime, clock);
        Takeover = new DeadlineQueue(limits.TakeoverTime, clock);
        CloseNotify = new DeadlineQueue(CloseNotifyTime, clock);
        _timer = clock.CreateTimer(static self => ((Deadlines)self!).Sweep(), this, Resolution, Resolution);
    }

    /// <summary>From the accept to the first byte.</summary>
    public DeadlineQueue FirstByte { get; }

    /// <summary>From the accept to the end of the handshake.</summary>
    public DeadlineQueue Handshake { get; }

    /// <summary>From the silo's last record to its delivery.</summary>
    public DeadlineQueue Delivery { get; }

    /// <summary>From our last bytes, or our FIN, to the client's.</summary>
    public DeadlineQueue Linger { get; }

    /// <summary>From the loss of a silo, or the want of one, or an attach, to the silo that serves.</summary>
    public DeadlineQueue Takeover { get; }

    /// <summary>From a sleeping client's alert to its FIN.</summary>
    public DeadlineQueue CloseNotify { get; }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Sweep()
    {
        FirstByte.Sweep();
        Handshake.Sweep();
        Delivery.Sweep();
        Linger.Sweep();
        Takeover.Sweep();
        CloseNotify.Sweep();
    }
}
