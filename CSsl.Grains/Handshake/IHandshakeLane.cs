namespace CSsl.Grains.Handshake;

/// <summary>The activation of an <see cref="IHandshakeGrain"/>, for its own silo: whoever has a step to make takes a turn of the grain's, without a message.</summary>
public interface IHandshakeLane
{
    /// <summary>Queues a turn. One runs at a time, calls and timers of the grain included.</summary>
    /// <param name="turn">Must not throw. Everything below is for it alone.</param>
    /// <param name="state">Its argument.</param>
    void Post(Action<object?> turn, object state);

    /// <summary>Feeds whole records of one connection, which has one step under way at a time.</summary>
    HandshakeAnswer Advance(in HandshakeRequest request);

    /// <summary>Goes on with a handshake whose answer named a <see cref="HandshakeAnswer.WantedSession"/>.</summary>
    /// <param name="handshakeId">Whose it is.</param>
    /// <param name="session">The sealed session (<see cref="StoredSession.Sealed"/>); empty when there is none, or none in time.</param>
    HandshakeAnswer Resume(Guid handshakeId, ReadOnlyMemory<byte> session);

    /// <summary>The client is gone, or the gateway: forgets the connection. One that nobody abandons is forgotten when its time is over.</summary>
    void Abandon(Guid handshakeId);
}
