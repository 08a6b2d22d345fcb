using System.Buffers;
using System.Buffers.Binary;
using CSsl.Tls.Records;

namespace CSsl.Tls.Handshake;

/// <summary>
/// Peeks the ClientHello of one connection, and remembers how far it has looked: a hello that dribbles in, or comes in fragments of a byte,
/// costs time in proportion to its length, however often it is asked for.
/// </summary>
/// <remarks>
/// <code>
///  records:   | header | fragment | header | fragment | …      each: type 22, 1 to 2^14 bytes
///  message:            | 1 | length (3) | body … |             the fragments, one after the other
/// </code>
/// </remarks>
public sealed class ClientHelloReader(int maxHandshakeBytes)
{
    /// <summary>The longest message there is: a header, and every field of <see cref="ClientHelloParser"/> at its longest. A record holds a byte of it at least,
    /// so its records are bounded too.</summary>
    public const int MaxMessageLength = MessageHeaderLength + 2 + 32 + 33 + 65_536 + 256 + 65_537;

    private const int MessageHeaderLength = 4;
    private const byte ClientHelloType = 1;

    private readonly int _maxLength = Math.Min(maxHandshakeBytes, MaxMessageLength);
    private uint _messageHeader;
    private int _gathered;
    private int _scanned;

    /// <summary>Goes on where the last call stopped.</summary>
    /// <param name="input">Everything that the client has sent, always from its first byte.</param>
    /// <param name="hello">See <see cref="ClientHello.Peek"/>.</param>
    /// <param name="alert">See <see cref="ClientHello.Peek"/>.</param>
    public ClientHelloStatus Peek(in ReadOnlySequence<byte> input, out ClientHello? hello, out AlertDescription alert)
    {
        hello = null;
        alert = default;
        var reader = new SequenceReader<byte>(input.Slice(_scanned));
        Span<byte> head = stackalloc byte[RecordHeader.Size];
        while (reader.Remaining > 0)
        {
            var here = head[..(int)Math.Min(reader.Remaining, head.Length)];
            reader.TryCopyTo(here);
            var status = RecordHeader.Peek(here, RecordHeader.MaxPlaintext, out var header);
            if (status == RecordStatus.NotTls && _scanned == 0)
                return NotTls(input, out alert);
            // The type first: its byte comes before all that the status is of, so the answer is the same however the bytes arrive.
            if (here[0] != (byte)ContentType.Handshake)
                return Refuse(AlertDescription.UnexpectedMessage, out alert);
            if (status is not (RecordStatus.NeedMore or RecordStatus.Complete))
                return Refuse(RecordHeader.AlertFor(status), out alert);
            if (here.Length < RecordHeader.Size || reader.Remaining < header.TotalLength)
                return ClientHelloStatus.NeedMore;

            reader.Advance(RecordHeader.Size);
            if (Gather(ref reader, header.Length) is { } refusal)
                return Refuse(refusal, out alert);
            _scanned += header.TotalLength;
            if (IsWhole)
                return Parse(input, out hello, out alert);
        }

        return ClientHelloStatus.NeedMore;
    }

    private int MessageLength => MessageHeaderLength + (int)(_messageHeader & 0xFF_FFFF);

    private bool IsWhole => _gathered >= MessageHeaderLength && _gathered == MessageLength;

    /// <summary>Takes note of one fragment.</summary>
    private AlertDescription? Gather(ref SequenceReader<byte> reader, int length)
    {
        for (; length > 0 && _gathered < MessageHeaderLength; length--, _gathered++)
        {
            reader.TryRead(out var next);
            if (_gathered == 0 && next != ClientHelloType)
                return AlertDescription.UnexpectedMessage;
            _messageHeader = _messageHeader << 8 | next;
        }

        reader.Advance(length);
        _gathered += length;
        if (_gathered < MessageHeaderLength)
            return null;
        if (MessageLength > _maxLength)
            return AlertDescription.DecodeError;
        // Nothing may follow a hello before it is answered.
        return _gathered > MessageLength ? AlertDescription.UnexpectedMessage : null;
    }

    private ClientHelloStatus Parse(in ReadOnlySequence<byte> input, out ClientHello? hello, out AlertDescription alert)
    {
        var message = ArrayPool<byte>.Shared.Rent(_gathered);
        try
        {
            CopyMessage(input, message.AsSpan(0, _gathered));
            if (ClientHelloParser.Parse(message.AsSpan(MessageHeaderLength, _gathered - MessageHeaderLength), _scanned, out hello) is { } refusal)
                return Refuse(refusal, out alert);
            alert = default;
            return ClientHelloStatus.Complete;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(message);
        }
    }

    /// <summary>Copies what whole records hold.</summary>
    /// <param name="records">Records that hold a message, and what may follow them.</param>
    /// <param name="message">As long as the message.</param>
    internal static void CopyMessage(in ReadOnlySequence<byte> records, Span<byte> message)
    {
        var reader = new SequenceReader<byte>(records);
        Span<byte> head = stackalloc byte[RecordHeader.Size];
        while (!message.IsEmpty)
        {
            reader.TryCopyTo(head);
            reader.Advance(head.Length);
            var length = BinaryPrimitives.ReadUInt16BigEndian(head[3..]);
            reader.TryCopyTo(message[..length]);
            reader.Advance(length);
            message = message[length..];
        }
    }

    /// <summary>An SSLv2 hello (RFC 5246 appendix E.2) may be of a client that understands TLS alerts too.</summary>
    private static ClientHelloStatus NotTls(in ReadOnlySequence<byte> input, out AlertDescription alert)
    {
        Span<byte> start = stackalloc byte[3];
        var isSslV2Hello = new SequenceReader<byte>(input).TryCopyTo(start) && (start[0] & 0x80) != 0 && start[2] == ClientHelloType;
        alert = isSslV2Hello ? AlertDescription.ProtocolVersion : default;
        return ClientHelloStatus.NotTls;
    }

    private static ClientHelloStatus Refuse(AlertDescription reason, out AlertDescription alert)
    {
        alert = reason;
        return ClientHelloStatus.Refused;
    }
}
