namespace CSsl.Tls.Records;

/// <summary>
/// TLS 1.2: the one message that a client may send after the handshake is the ClientHello of a renegotiation, which we refuse (RFC 5246 section 7.2.2).
/// Its body is skipped, not kept.
/// </summary>
internal sealed class RenegotiationReader : PostHandshakeReader
{
    /// <summary>As much as a first hello may have, by default.</summary>
    internal const int MaxHelloLength = 64 * 1024;

    private const byte ClientHelloType = 1;

    private uint _header;
    private int _headerLength;
    private int _bodyLeft;

    public override bool MessageUnderWay => _headerLength > 0;

    public override PostHandshakeEvent Read(ReadOnlySpan<byte> content)
    {
        while (_headerLength < HeaderLength && !content.IsEmpty)
        {
            if (_headerLength == 0 && content[0] != ClientHelloType)
                throw new TlsException(AlertDescription.UnexpectedMessage, $"A handshake message of type {content[0]} after the handshake.");
            _header = _header << 8 | content[0];
            content = content[1..];
            if (++_headerLength == HeaderLength)
                _bodyLeft = (int)(_header & 0xFF_FFFF);
        }

        if (_bodyLeft > MaxHelloLength)
            throw new TlsException(AlertDescription.DecodeError, $"A ClientHello of {_bodyLeft} bytes.");
        if (content.Length > _bodyLeft)
            throw new TlsException(AlertDescription.UnexpectedMessage, "More than a ClientHello in one record.");
        _bodyLeft -= content.Length;
        if (_headerLength < HeaderLength || _bodyLeft > 0)
            return PostHandshakeEvent.None;

        _headerLength = 0;
        _header = 0;
        return PostHandshakeEvent.RenegotiationRequested;
    }
}
