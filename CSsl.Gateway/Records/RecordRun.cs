using System.Buffers;
using CSsl.Tls;
using CSsl.Tls.Records;

namespace CSsl.Gateway.Records;

/// <summary>Whole records at the start of a buffer that go to the same silo.</summary>
/// <param name="Bytes">Their length, headers included.</param>
/// <param name="Count">How many.</param>
/// <param name="Next">What follows: <see cref="RecordStatus.Complete"/> when a limit of the caller ended the run,
/// <see cref="RecordStatus.NeedMore"/> when a record is not all there (or the buffer ends), else why what follows is no record.</param>
/// <param name="Refusal">What follows is a record that nobody gets: the alert for it.</param>
internal readonly record struct RecordRun(int Bytes, int Count, RecordStatus Next, AlertDescription? Refusal = null)
{
    /// <summary>Finds the whole records at the start of <paramref name="buffer"/>. Looks at headers only.</summary>
    /// <param name="buffer">A client's bytes, beginning with a record.</param>
    /// <param name="phase">Where the connection is: decides who gets what (<see cref="RecordRouter"/>).</param>
    /// <param name="maxLength">Limit of the phase on one record's length.</param>
    /// <param name="maxBytes">Limit on the run.</param>
    /// <param name="maxCount">Limit on the run.</param>
    public static RecordRun Find(in ReadOnlySequence<byte> buffer, ConnectionPhase phase, int maxLength, int maxBytes = int.MaxValue, int maxCount = int.MaxValue)
    {
        var reader = new SequenceReader<byte>(buffer);
        var count = 0;
        while (true)
        {
            var status = Peek(reader, maxLength, out var header);
            if (status != RecordStatus.Complete || count == maxCount || header.TotalLength > maxBytes - reader.Consumed)
                return new RecordRun((int)reader.Consumed, count, status);
            if (RecordRouter.For(phase, header.Type) is { Target: RouteTarget.Refuse, Alert: var alert })
                return new RecordRun((int)reader.Consumed, count, status, alert);

            reader.Advance(header.TotalLength);
            count++;
        }
    }

    /// <summary>Counts the records of a silo's frame, which must be whole.</summary>
    /// <returns>-1 when they are not.</returns>
    public static int CountWhole(ReadOnlySpan<byte> records)
    {
        var count = 0;
        while (!records.IsEmpty)
        {
            if (RecordHeader.Peek(records, RecordHeader.MaxCiphertext12, out var header) != RecordStatus.Complete)
                return -1;

            records = records[header.TotalLength..];
            count++;
        }

        return count;
    }

    private static RecordStatus Peek(in SequenceReader<byte> reader, int maxLength, out RecordHeader header)
    {
        Span<byte> copy = stackalloc byte[RecordHeader.Size];
        scoped var bytes = reader.UnreadSpan;
        if (bytes.Length < RecordHeader.Size && bytes.Length < reader.Remaining)
        {
            bytes = copy[..(int)Math.Min(RecordHeader.Size, reader.Remaining)];
            reader.TryCopyTo(copy[..bytes.Length]);
        }

        var status = RecordHeader.Peek(bytes, maxLength, out header);
        return status == RecordStatus.NeedMore && header.Length > 0 && reader.Remaining >= header.TotalLength ? RecordStatus.Complete : status;
    }
}
