namespace CSsl.Tls.Records;

/// <summary>What a handshake record of the data phase asks for.</summary>
internal enum PostHandshakeEvent
{
    /// <summary>The message goes on in the next record.</summary>
    None,

    /// <summary>TLS 1.3: the peer's next record is under its next key.</summary>
    KeyUpdate,

    /// <summary>As <see cref="KeyUpdate"/>, and ours shall follow.</summary>
    KeyUpdateRequested,

    /// <summary>TLS 1.2: a ClientHello, to be refused.</summary>
    RenegotiationRequested,
}

/// <summary>Reassembles the handshake messages of the data phase over records, keeping no more of them than it needs.</summary>
internal abstract class PostHandshakeReader
{
    /// <summary>Bytes before the body of a handshake message: type (1) and length (3).</summary>
    protected const int HeaderLength = 4;

    /// <summary>True while a message has begun that is not complete.</summary>
    public abstract bool MessageUnderWay { get; }

    /// <summary>Reads the content of one handshake record, which is not empty.</summary>
    /// <exception cref="TlsException">A message that a client may not send now, or not like this.</exception>
    public abstract PostHandshakeEvent Read(ReadOnlySpan<byte> content);
}
