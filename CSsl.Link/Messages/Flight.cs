namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Flight"/>: the answer to one <see cref="FrameKind.Handshake"/>.</summary>
/// <remarks><code>consumed u32 | failed u8 | records</code></remarks>
/// <param name="Consumed">Bytes of the Handshake frame that were consumed; the rest stays the gateway's.</param>
/// <param name="Failed">The handshake is over: send the records (an alert, perhaps none), close.</param>
/// <param name="Records">Whole records for the client.</param>
public readonly ref struct Flight(int Consumed, bool Failed, ReadOnlySpan<byte> Records)
{
    public int Consumed { get; } = Consumed;
    public bool Failed { get; } = Failed;
    public ReadOnlySpan<byte> Records { get; } = Records;

    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[5 + Records.Length]);
        payload.Count(Consumed);
        payload.Flag(Failed);
        payload.Bytes(Records);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Flight Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var flight = new Flight(reader.Count(), reader.Flag(), reader.Rest());
        reader.Complete(nameof(Flight));
        return flight;
    }
}
