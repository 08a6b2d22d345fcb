using System.Buffers;
using CSsl.Tls.Records;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>
/// The client's records that were passed on since the last checkpoint, for the next silo in case this one is lost, and their numbers.
/// Pooled memory, none while it is empty. Not thread-safe.
/// </summary>
/// <remarks>
/// <code>
///   Checkpoint = First            Next               End
///   |   the silo has had these    |   yet to be had  |   the client's next record
///   +-----------------------------+------------------+
/// </code>
/// Past the limit the request can't be replayed: only the newest records are kept, because the client's next request may be among
/// them when the next checkpoint comes; and all that the silo has not taken yet, because if it is about to leave it never will. Until then <see cref="IsReplayable"/> is false: <c>First</c> is behind <c>Checkpoint</c>.
/// </remarks>
internal sealed class ReplayBuffer
{
    /// <summary>What is kept of a request that is too long.</summary>
    private const int TailBytes = 32 * 1024;

    private const int LeastBytes = 512;

    private readonly int _limit;
    private byte[]? _bytes;
    private int _first;
    private int _next;
    private int _end;

    /// <param name="start">Number of the client's next record.</param>
    /// <param name="limit">Bytes; with 0 nothing is kept.</param>
    public ReplayBuffer(ulong start, int limit)
    {
        _limit = limit;
        Checkpoint = First = Next = End = start;
    }

    /// <summary>Number of the record that the silo had not consumed at the last checkpoint.</summary>
    public ulong Checkpoint { get; private set; }

    /// <summary>Number of the first record that is kept.</summary>
    public ulong First { get; private set; }

    /// <summary>Number of the record that this silo gets next.</summary>
    public ulong Next { get; private set; }

    /// <summary>Number of the client's next record: so many were passed on, to whichever silo.</summary>
    public ulong End { get; private set; }

    /// <summary>Bytes that are kept.</summary>
    public int Length => _end - _first;

    /// <summary>Bytes of pooled memory.</summary>
    public int Capacity => _bytes?.Length ?? 0;

    /// <summary>True when every record since the checkpoint is here.</summary>
    public bool IsReplayable => First <= Checkpoint;

    /// <summary>True when this silo is to get records that an earlier one was given.</summary>
    public bool IsReplaying => Next < End;

    /// <summary>Notes whole records that are passed on. Not while <see cref="IsReplaying"/>.</summary>
    /// <param name="records">The records.</param>
    /// <param name="count">How many.</param>
    /// <param name="untaken">Bytes of records before these for which the silo has not given its credit back.</param>
    public void Append(in ReadOnlySequence<byte> records, int count, int untaken)
    {
        End += (ulong)count;
        Next = End;
        if (_limit == 0)
        {
            First = End;
            return;
        }

        var length = (int)records.Length;
        Reserve(length);
        records.CopyTo(_bytes.AsSpan(_end));
        _end += length;
        var tail = Math.Max(Math.Min(TailBytes, _limit), untaken + length);
        if (Length > (IsReplayable ? _limit : Math.Max(Math.Min(2 * TailBytes, _limit), tail + TailBytes)))
            KeepTail(tail);
        _next = _end;
    }

    /// <summary>The silo has consumed every record before <paramref name="checkpoint"/>.</summary>
    /// <returns>False: it was not given so many, or says less than before.</returns>
    public bool TryRelease(ulong checkpoint)
    {
        if (checkpoint < Checkpoint || checkpoint > Next)
            return false;

        Checkpoint = checkpoint;
        DropWhile(static (buffer, limit) => buffer.First < limit, checkpoint);
        return true;
    }

    /// <summary>For a new silo: all that is kept is to come again, or nothing if it is not the whole.</summary>
    public void Rewind() => (Next, _next) = IsReplayable ? (First, _first) : (End, _end);

    /// <summary>Puts the next whole records that fit into <paramref name="room"/>; returns their length.</summary>
    public int CopyNext(Span<byte> room)
    {
        var start = _next;
        while (_next < _end && LengthAt(_next) is var length && _next + length - start <= room.Length)
        {
            _next += length;
            Next++;
        }

        _bytes.AsSpan(start, _next - start).CopyTo(room);
        return _next - start;
    }

    /// <summary>Gives the memory back, at the end of the connection.</summary>
    public void Clear()
    {
        if (_bytes is { } bytes)
            ArrayPool<byte>.Shared.Return(bytes);
        _bytes = null;
        _first = _next = _end = 0;
        First = Next = End;
    }

    private void KeepTail(int tail)
    {
        DropWhile(static (buffer, limit) => buffer.Length > (int)limit, (ulong)tail);
        if (_bytes is { Length: > 4 * TailBytes } && Length <= 2 * TailBytes)
            MoveTo(ArrayPool<byte>.Shared.Rent(3 * TailBytes));
    }

    private void DropWhile(Func<ReplayBuffer, ulong, bool> condition, ulong limit)
    {
        while (_first < _end && condition(this, limit))
        {
            _first += LengthAt(_first);
            First++;
        }

        if (_first == _end)
            Clear();
    }

    /// <summary>What a client sends that is no record is its last bytes, and counts as one.</summary>
    private int LengthAt(int offset)
    {
        var rest = _bytes.AsSpan(offset, _end - offset);
        return RecordHeader.Peek(rest, RecordHeader.MaxCiphertext12, out var header) == RecordStatus.Complete ? header.TotalLength : rest.Length;
    }

    private void Reserve(int length)
    {
        if (_bytes is null || _end + length > _bytes.Length)
            MoveTo(_bytes is not null && Length + length <= _bytes.Length ? _bytes : ArrayPool<byte>.Shared.Rent(Math.Max(LeastBytes, Length + length + Math.Min(Length, _limit / 2))));
    }

    private void MoveTo(byte[] destination)
    {
        _bytes.AsSpan(_first, Length).CopyTo(destination);
        if (_bytes is { } old && old != destination)
            ArrayPool<byte>.Shared.Return(old);
        _bytes = destination;
        (_first, _next, _end) = (0, _next - _first, _end - _first);
    }
}
