using System.Buffers;
using CSsl.Tls;
using CSsl.Tls.Handshake;

namespace CSsl.Grains.Handshake;

/// <summary>One connection of a lane, from its first record to the export of its session.</summary>
/// <param name="timeLeft">How long from now it may take; then it ends unfinished.</param>
/// <param name="time">The clock: its timestamps, which no step of the wall clock changes.</param>
/// <param name="maxBytes">Bytes of records that the client may send in all.</param>
/// <param name="dataSilo">The silo that is to have the session first, or null.</param>
internal sealed class PendingHandshake(TimeSpan timeLeft, TimeProvider time, int maxBytes, string? dataSilo) : IDisposable
{
    private readonly long _begunAt = time.GetTimestamp();
    private IServerHandshake? _handshake;

    // A hello that waits for the session that it asks for, and its records.
    private (ClientHello Hello, ReadOnlyMemory<byte> Records)? _waiting;
    private int _received;

    /// <summary>True once its time is over.</summary>
    public bool IsLate => time.GetElapsedTime(_begunAt) >= timeLeft;

    /// <summary>True once OpenSSL runs: from then on a plaintext alert may no longer be understood.</summary>
    public bool HasStarted => _handshake is not null;

    /// <summary>The session id that the client asks for, while the handshake waits for <see cref="Resume"/>; else empty.</summary>
    public ReadOnlyMemory<byte> WantedSession => _waiting?.Hello.SessionId ?? default;

    /// <summary>The session id under which a session was found for this handshake; else empty.</summary>
    public ReadOnlyMemory<byte> OfferedSession { get; private set; }

    /// <inheritdoc cref="IServerHandshake.Group"/>
    public NamedGroup? Group => _handshake?.Group;

    /// <summary>Feeds whole records, first those of the whole hello.</summary>
    /// <returns>The step, its Consumed counted in <paramref name="records"/>.</returns>
    /// <exception cref="TlsException">The hello is refused before a handshake is started for it.</exception>
    public HandshakeStep Advance(ReadOnlyMemory<byte> records, IServerHandshakeFactory factory, IBufferWriter<byte> output)
    {
        _received += records.Length;
        if (_received > maxBytes)
            throw new TlsException(AlertDescription.UnexpectedMessage, $"the client sent more than {maxBytes} bytes of handshake");

        if (_waiting is not null)
            throw new InvalidOperationException("The handshake waits for a session.");
        return _handshake is { } handshake ? handshake.Advance(records.Span, output) : Start(records, factory, output);
    }

    /// <summary>Goes on with a hello that waited.</summary>
    /// <param name="stored">The session that it asked for; empty when there is none.</param>
    /// <param name="factory">Makes the handshake.</param>
    /// <param name="output">Gets the records for the client.</param>
    /// <returns>The step, its Consumed counted in the records of the first call.</returns>
    /// <exception cref="InvalidOperationException">Nothing waits.</exception>
    public HandshakeStep Resume(ReadOnlySpan<byte> stored, IServerHandshakeFactory factory, IBufferWriter<byte> output)
    {
        var (hello, records) = _waiting ?? throw new InvalidOperationException("The handshake does not wait for a session.");
        _waiting = null;
        if (!stored.IsEmpty)
            OfferedSession = hello.SessionId;
        return Begin(hello, records, stored, factory, output);
    }

    /// <inheritdoc cref="IServerHandshake.TakeResumable"/>
    public Tls.Sessions.ResumableSession? TakeResumable() => _handshake?.TakeResumable();

    /// <inheritdoc cref="IServerHandshake.Export"/>
    public Tls.Sessions.ExportedSession Export()
    {
        var session = (_handshake ?? throw new InvalidOperationException("The handshake has not begun.")).Export();
        session.DataSilo = dataSilo;
        return session;
    }

    public void Dispose() => _handshake?.Dispose();

    private HandshakeStep Start(ReadOnlyMemory<byte> records, IServerHandshakeFactory factory, IBufferWriter<byte> output)
    {
        switch (ClientHello.Peek(new ReadOnlySequence<byte>(records), maxBytes, out var hello, out var alert))
        {
            case ClientHelloStatus.NeedMore:
                throw new TlsException(AlertDescription.InternalError, "the gateway sent less than the whole ClientHello");
            case ClientHelloStatus.Complete:
                if (!factory.CanResume(hello!))
                    return Begin(hello!, records, default, factory, output);
                _waiting = (hello!, records);
                return new HandshakeStep(HandshakeStatus.NeedMore, 0, 0);
            case ClientHelloStatus.NotTls:
                throw new TlsException(alert == AlertDescription.CloseNotify ? AlertDescription.UnexpectedMessage : alert, "the first record is no ClientHello");
            default:
                throw new TlsException(alert, $"the ClientHello is refused ({alert})");
        }
    }

    private HandshakeStep Begin(ClientHello hello, ReadOnlyMemory<byte> records, ReadOnlySpan<byte> stored, IServerHandshakeFactory factory, IBufferWriter<byte> output)
    {
        _handshake = factory.Create(hello, stored);
        return _handshake.Advance(records.Span, output);
    }
}
