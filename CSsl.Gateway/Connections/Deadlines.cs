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

    private readonly RestingTimer _timer;

    public Deadlines(LimitsOptions limits, TimeProvider clock)
    {
        _timer = new RestingTimer(Resolution, Sweep, clock);
        FirstByte = new DeadlineQueue(limits.FirstByteTime, clock, _timer.Wake);
        Handshake = new DeadlineQueue(limits.HandshakeTime, clock, _timer.Wake);
        Delivery = new DeadlineQueue(DeliveryTime, clock, _timer.Wake);
        Linger = new DeadlineQueue(LingerTime, clock, _timer.Wake);
        Takeover = new DeadlineQueue(limits.TakeoverTime, clock, _timer.Wake);
        CloseNotify = new DeadlineQueue(CloseNotifyTime, clock, _timer.Wake);
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

    private bool Sweep() => FirstByte.Sweep() | Handshake.Sweep() | Delivery.Sweep() | Linger.Sweep() | Takeover.Sweep() | CloseNotify.Sweep();
}
