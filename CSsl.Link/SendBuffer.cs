using System.Buffers.Binary;

namespace CSsl.Link;

/// <summary>
/// Frames next to each other, as they will leave in one write: between processes in batches, with room around them for what sealing adds; within one, as they are.
/// Records are sealed in it, so its memory is pinned, and does not move while no more is added than was reserved. Not thread-safe.
/// </summary>
internal sealed class SendBuffer
{
    // Kept when the buffer is emptied; what a burst made larger is given back.
    private readonly int _keptLength;
    private readonly bool _isSealed;
    private readonly int _headerLength;
    private readonly int _tagLength;
    private readonly List<Batch> _batches = [];
    private byte[] _bytes = [];

    /// <param name="keptLength">Bytes that it keeps when it is empty.</param>
    /// <param name="isSealed">Whether frames leave in sealed batches; if not, all of them are one batch, with nothing around it.</param>
    public SendBuffer(int keptLength, bool isSealed)
    {
        (_keptLength, _isSealed) = (keptLength, isSealed);
        if (isSealed)
            (_headerLength, _tagLength) = (SealedBatch.HeaderLength, SealedBatch.TagLength);
    }

    /// <summary>Bytes that will be written.</summary>
    public int Length => _batches.Count == 0 ? 0 : _batches[^1].End + _tagLength;

    public int Frames { get; private set; }

    public int RecordFrames { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Append(FrameKind kind, uint channel, ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(Room(payload.Length));
        Commit(kind, channel, payload.Length);
    }

    /// <summary>All frames of another buffer, not sealed yet.</summary>
    public void Append(SendBuffer other)
    {
        foreach (var batch in other._batches)
        {
            var length = batch.End - batch.Start;
            var at = PlaceFor(length);
            other._bytes.AsSpan(batch.Start, length).CopyTo(_bytes.AsSpan(at));
            Add(at, length);
        }

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
        var at = PlaceFor(FrameHeader.Size + payloadLength);
        return _bytes.AsSpan(at + FrameHeader.Size, payloadLength);
    }

    /// <summary>Makes a frame of what was put in <see cref="Room"/>.</summary>
    public void Commit(FrameKind kind, uint channel, int payloadLength)
    {
        // The place of the room, though that was for more: whatever takes another frame takes the longest.
        var at = PlaceFor(FrameHeader.Size + payloadLength);
        new FrameHeader(payloadLength, channel, kind).Write(_bytes.AsSpan(at));
        Add(at, FrameHeader.Size + payloadLength);
        Frames++;
        if (kind == FrameKind.Records)
            RecordFrames++;
    }

    /// <summary>Takes a channel's records out again.</summary>
    /// <returns>Frames that are gone.</returns>
    public int RemoveRecords(uint channel)
    {
        var before = RecordFrames;
        for (var i = _batches.Count - 1; i >= 0; i--)
        {
            for (var at = _batches[i].Start; at < _batches[i].End;)
            {
                var header = FrameHeader.Read(_bytes.AsSpan(at), LinkChannel.MaxPayload);
                var length = FrameHeader.Size + header.Length;
                if (header.Channel != channel || header.Kind != FrameKind.Records)
                {
                    at += length;
                    continue;
                }

                Cut(at, length);
                _batches[i] = _batches[i] with { End = _batches[i].End - length };
                MoveUp(i + 1, length);
                Frames--;
                RecordFrames--;
            }

            if (_batches[i].Start == _batches[i].End)
            {
                Cut(_batches[i].Start - _headerLength, _headerLength + _tagLength);
                _batches.RemoveAt(i);
                MoveUp(i, _headerLength + _tagLength);
            }
        }

        return before - RecordFrames;
    }

    /// <summary>Seals all batches, in their order. Afterwards the buffer can be written and emptied, and nothing else.</summary>
    public void Seal(LinkCipher cipher)
    {
        foreach (var batch in _batches)
        {
            var bytes = _bytes.AsSpan(batch.Start - SealedBatch.HeaderLength, batch.End - batch.Start + SealedBatch.Overhead);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)(batch.End - batch.Start));
            cipher.Run(bytes);
        }
    }

    public void Clear()
    {
        _batches.Clear();
        Frames = RecordFrames = 0;
        if (_bytes.Length > _keptLength)
            _bytes = [];
    }

    // Where so many bytes of frames go, and room for them: in the last batch, or in one of their own.
    private int PlaceFor(int length)
    {
        var at = Length + _headerLength;
        if (_batches.Count > 0)
        {
            var last = _batches[^1];
            if (!_isSealed || (last.End - last.Start < SealedBatch.UsualFrames && last.End - last.Start + length <= SealedBatch.MaxFrames))
                at = last.End;
        }

        var needed = at + length + _tagLength;
        if (needed > _bytes.Length)
            Grow(needed);
        return at;
    }

    private void Add(int at, int length)
    {
        if (_batches.Count > 0 && _batches[^1].End == at)
            _batches[^1] = _batches[^1] with { End = at + length };
        else
            _batches.Add(new Batch(at, at + length));
    }

    private void Cut(int at, int length) => _bytes.AsSpan(at + length, Length - at - length).CopyTo(_bytes.AsSpan(at));

    private void MoveUp(int from, int bytes)
    {
        for (var i = from; i < _batches.Count; i++)
            _batches[i] = new Batch(_batches[i].Start - bytes, _batches[i].End - bytes);
    }

    private void Grow(int needed)
    {
        var doubled = Math.Max(4096L, 2L * _bytes.Length);
        var length = needed <= _keptLength ? Math.Min(doubled, _keptLength) : doubled;
        var larger = GC.AllocateUninitializedArray<byte>((int)Math.Max(needed, length), pinned: true);
        _bytes.AsSpan(0, Length).CopyTo(larger);
        _bytes = larger;
    }

    /// <summary>Where the frames of a batch are.</summary>
    private readonly record struct Batch(int Start, int End);
}
