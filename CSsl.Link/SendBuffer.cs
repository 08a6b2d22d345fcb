namespace CSsl.Link;

/// <summary>Frames next to each other, as they will leave in one write. Records are sealed in it, so its memory is pinned, and does not move while no more
/// is added than was reserved. Not thread-safe.</summary>
internal sealed class SendBuffer
{
    // Kept when the buffer is emptied; what a burst made larger is given back.
    private readonly int _keptLength;
    private byte[] _bytes = [];

    public SendBuffer(int keptLength) => _keptLength = keptLength;

    public int Length { get; private set; }

    public int Frames { get; private set; }

    public int RecordFrames { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Append(FrameKind kind, uint channel, ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(Room(payload.Length));
        Commit(kind, channel, payload.Length);
    }

    /// <summary>All frames of another buffer.</summary>
    public void Append(SendBuffer other)
    {
        var needed = Length + other.Length;
        if (needed > _bytes.Length)
            Grow(needed);
        other.Written.Span.CopyTo(_bytes.AsSpan(Length));
        Length = needed;
        Frames += other.Frames;
        RecordFrames += other.RecordFrames;
    }

    /// <summary>Until so many bytes more have been added, nothing moves.</summary>
    public void Reserve(int bytes)
    {
        if (Length + bytes > _bytes.Length)
            Grow(Length + bytes);
    }

    /// <summary>Where the payload of the next frame goes, behind its header.</summary>
    public Span<byte> Room(int payloadLength)
    {
        var needed = Length + FrameHeader.Size + payloadLength;
        if (needed > _bytes.Length)
            Grow(needed);
        return _bytes.AsSpan(Length + FrameHeader.Size, payloadLength);
    }

    /// <summary>Makes a frame of what was put in <see cref="Room"/>.</summary>
    public void Commit(FrameKind kind, uint channel, int payloadLength)
    {
        new FrameHeader(payloadLength, channel, kind).Write(_bytes.AsSpan(Length));
        Length += FrameHeader.Size + payloadLength;
        Frames++;
        if (kind == FrameKind.Records)
            RecordFrames++;
    }

    /// <summary>Takes a channel's records out again.</summary>
    /// <returns>Frames that are gone.</returns>
    public int RemoveRecords(uint channel)
    {
        var before = RecordFrames;
        for (var at = 0; at < Length;)
        {
            var header = FrameHeader.Read(_bytes.AsSpan(at), LinkChannel.MaxPayload);
            var length = FrameHeader.Size + header.Length;
            if (header.Channel != channel || header.Kind != FrameKind.Records)
            {
                at += length;
                continue;
            }

            _bytes.AsSpan(at + length, Length - at - length).CopyTo(_bytes.AsSpan(at));
            Length -= length;
            Frames--;
            RecordFrames--;
        }

        return before - RecordFrames;
    }

    public void Clear()
    {
        Length = Frames = RecordFrames = 0;
        if (_bytes.Length > _keptLength)
            _bytes = [];
    }

    private void Grow(int needed)
    {
        var doubled = Math.Max(4096L, 2L * _bytes.Length);
        var length = needed <= _keptLength ? Math.Min(doubled, _keptLength) : doubled;
        var larger = GC.AllocateUninitializedArray<byte>((int)Math.Max(needed, length), pinned: true);
        _bytes.AsSpan(0, Length).CopyTo(larger);
        _bytes = larger;
    }
}
