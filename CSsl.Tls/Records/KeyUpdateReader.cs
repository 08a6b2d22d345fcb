namespace CSsl.Tls.Records;

/// <summary>TLS 1.3: the one message that a client may send after the handshake is KeyUpdate (RFC 8446 section 4.6), as we never ask for its certificate then.</summary>
/// <remarks>
/// <code>
///   0      1          4                5
///   +------+----------+----------------+
///   |  24  | 0  0  1  | request_update |   0: not requested, 1: requested
///   +------+----------+----------------+
/// </code>
/// </remarks>
internal sealed class KeyUpdateReader : PostHandshakeReader
{
    public const byte MessageType = 24;

    private const int MessageLength = HeaderLength + 1;

    private readonly byte[] _message = new byte[MessageLength];
    private int _length;

    public override bool MessageUnderWay => _length > 0;

    public override PostHandshakeEvent Read(ReadOnlySpan<byte> content)
    {
        // Section 5.1: a message before a key change ends its record.
        if (content.Length > MessageLength - _length && (_length > 0 || content[0] == MessageType))
            throw new TlsException(AlertDescription.UnexpectedMessage, "A KeyUpdate does not end its record.");
        if (_length == 0 && content[0] != MessageType)
            throw new TlsException(AlertDescription.UnexpectedMessage, $"A handshake message of type {content[0]} after the handshake.");

        content.CopyTo(_message.AsSpan(_length));
        _length += content.Length;
        if (_length >= HeaderLength && !_message.AsSpan(1, HeaderLength - 1).SequenceEqual<byte>([0, 0, 1]))
            throw new TlsException(AlertDescription.DecodeError, "A KeyUpdate of a wrong length.");
        if (_length < MessageLength)
            return PostHandshakeEvent.None;

        _length = 0;
        return _message[HeaderLength] switch
        {
            0 => PostHandshakeEvent.KeyUpdate,
            1 => PostHandshakeEvent.KeyUpdateRequested,
            _ => throw new TlsException(AlertDescription.IllegalParameter, "A KeyUpdate with an unknown request."),
        };
    }
}
