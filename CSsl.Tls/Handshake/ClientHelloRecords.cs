using System.Buffers;
using System.Buffers.Binary;
using CSsl.Tls.Records;

namespace CSsl.Tls.Handshake;

/// <summary>A ClientHello in as few records as there can be, however many the client has cut it into: that changes nothing of the handshake, whose transcript
/// has messages only (RFC 8446 section 4.4.1, RFC 5246 section 7.4.9).</summary>
public static class ClientHelloRecords
{
    /// <summary>Length of the records of the longest hello.</summary>
    public const int MaxLength = ClientHelloReader.MaxMessageLength + (RecordHeader.Size * (1 + ((ClientHelloReader.MaxMessageLength - 1) / RecordHeader.MaxPlaintext)));

    /// <summary>Length of the records, headers included.</summary>
    public static int LengthOf(ClientHello hello) => hello.MessageBytes + (RecordHeader.Size * (1 + ((hello.MessageBytes - 1) / RecordHeader.MaxPlaintext)));

    /// <summary>Writes the records.</summary>
    /// <param name="hello">The hello.</param>
    /// <param name="records">It, as the client sent it.</param>
    /// <param name="destination"><see cref="LengthOf"/> bytes.</param>
    public static void Write(ClientHello hello, in ReadOnlySequence<byte> records, Span<byte> destination)
    {
        Span<byte> version = stackalloc byte[RecordHeader.Size];
        records.Slice(0, RecordHeader.Size).CopyTo(version);

        // The message at the end, and from there each fragment down to its place: never over one that is still to be moved.
        var message = destination[(destination.Length - hello.MessageBytes)..];
        ClientHelloReader.CopyMessage(records, message);
        while (!message.IsEmpty)
        {
            var length = Math.Min(message.Length, RecordHeader.MaxPlaintext);
            message[..length].CopyTo(destination[RecordHeader.Size..]);
            new RecordHeader(ContentType.Handshake, BinaryPrimitives.ReadUInt16BigEndian(version[1..]), length).Write(destination);
            destination = destination[(RecordHeader.Size + length)..];
            message = message[length..];
        }
    }
}
