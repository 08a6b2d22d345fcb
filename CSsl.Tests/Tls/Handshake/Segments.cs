using System.Buffers;

namespace CSsl.Tests.Tls.Handshake;

/// <summary>Sequences of many segments, as pipes have them.</summary>
internal static class Segments
{
    public static ReadOnlySequence<byte> Of(ReadOnlyMemory<byte> bytes, int segmentLength)
    {
        if (bytes.Length <= segmentLength)
            return new ReadOnlySequence<byte>(bytes);
        var first = new Segment(bytes[..segmentLength], 0);
        var last = first;
        for (var at = segmentLength; at < bytes.Length; at += segmentLength)
            last = last.Append(bytes.Slice(at, Math.Min(segmentLength, bytes.Length - at)));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
