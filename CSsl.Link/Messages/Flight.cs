using System.Text;
using CSsl.Tls.Handshake;

namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Flight"/>: the answer to one <see cref="FrameKind.Handshake"/>.</summary>
/// <remarks><code>consumed u32 | failure u8 | detail text, if it failed | records</code></remarks>
/// <param name="Consumed">Bytes of the Handshake frame that were consumed; the rest stays the gateway's.</param>
/// <param name="Failure">Not None: the handshake is over, for this reason: send the records (an alert, perhaps none), close. May be a number that this end does not know.</param>
/// <param name="Detail">What else is known of the failure, for the log. Sent up to <see cref="MaxDetail"/> bytes.</param>
/// <param name="Records">Whole records for the client.</param>
public readonly ref struct Flight(int Consumed, HandshakeFailure Failure, string Detail, ReadOnlySpan<byte> Records)
{
    /// <summary>The most bytes of <see cref="Detail"/>.</summary>
    public const int MaxDetail = 200;

    public int Consumed { get; } = Consumed;
    public HandshakeFailure Failure { get; } = Failure;
    public string Detail { get; } = Detail;
    public ReadOnlySpan<byte> Records { get; } = Records;

    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[6 + MaxDetail + Records.Length]);
        payload.Count(Consumed);
        payload.U8((byte)Failure);
        if (Failure != HandshakeFailure.None)
            payload.Text(Shorten(Detail));
        payload.Bytes(Records);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Flight Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var consumed = reader.Count();
        var failure = (HandshakeFailure)reader.U8();
        var detail = failure == HandshakeFailure.None ? "" : reader.Text() ?? "";
        var flight = new Flight(consumed, failure, detail, reader.Rest());
        reader.Complete(nameof(Flight));
        return flight;
    }

    // By whole characters.
    private static string Shorten(string detail)
    {
        var length = 0;
        foreach (var rune in detail.EnumerateRunes())
        {
            if ((length += rune.Utf8SequenceLength) > MaxDetail)
                return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(detail).AsSpan(0, length - rune.Utf8SequenceLength));
        }

        return detail;
    }
}
