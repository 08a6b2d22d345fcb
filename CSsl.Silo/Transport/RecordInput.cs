using System.Buffers;
using System.IO.Pipelines;
using CSsl.Link;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;

namespace CSsl.Silo.Transport;

/// <summary>What became of the records of a batch.</summary>
/// <param name="Records">How many were opened.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Overhead">Bytes that do not reach the application (headers, tags, records for TLS itself): their credit is free at once.</param>
internal readonly record struct OpenedRecords(int Records, int Bytes, int Overhead);

/// <summary>The client's records on their way to the application: opened with those of others, then copied into its input pipe, so that the pipe never holds
/// more memory than the client has credit, whatever sizes of records it chooses. Not thread-safe.</summary>
/// <param name="channel">Whose records.</param>
/// <param name="phase">Opens them.</param>
/// <param name="application">The application's input pipe.</param>
/// <param name="firstNew">Number of the first record that no earlier silo had seen.</param>
internal sealed class RecordInput(LinkChannel channel, DataPhase phase, PipeWriter application, ulong firstNew)
{
    private readonly int _maxLength = phase.Version == TlsVersion.Tls13 ? RecordHeader.MaxCiphertext13 : RecordHeader.MaxCiphertext12;

    private OpenedRecords _opened;
    private long _replayEnd;
    private bool _unflushed;

    // Nobody reads any more: the client said it ends, or the application is done with its input.
    private bool _ended;
    private bool _completed;

    /// <summary>Number of the first record that no earlier silo had seen.</summary>
    public ulong FirstNew => firstNew;

    /// <summary>An earlier silo turned out to have seen the client's records before this one. What was opened meanwhile counts as seen: a request that comes again is not done twice.</summary>
    public void RaiseFirstNew(ulong record)
    {
        if (record <= firstNew)
            return;
        firstNew = record;
        Volatile.Write(ref _replayEnd, Plaintext);
    }

    /// <summary>Bytes for the application so far.</summary>
    public long Plaintext { get; private set; }

    /// <summary>How many of them were in records that an earlier silo had seen. Safe to read on any thread.</summary>
    public long ReplayEnd => Volatile.Read(ref _replayEnd);

    /// <summary>True when no more input comes, or nobody reads it.</summary>
    public bool IsEnded => _ended;

    /// <summary>Makes jobs of whole records.</summary>
    /// <exception cref="InvalidDataException">The gateway sent something else than whole records.</exception>
    public void Prepare(ReadOnlySpan<byte> frame, Span<byte> plaintext, RecordBatch opening)
    {
        while (!frame.IsEmpty && !_ended)
        {
            var peeked = RecordHeader.Peek(frame, _maxLength, out var header);
            if (peeked == RecordStatus.NeedMore)
                throw new InvalidDataException("A Records frame holds something else than whole records.");

            // Bytes that are no record are the last ones, and refused in their turn.
            var length = peeked == RecordStatus.Complete ? header.TotalLength : frame.Length;
            phase.PrepareRead(frame[..length], plaintext[..length], ref opening.Add(channel));
            frame = frame[length..];
            plaintext = plaintext[length..];
        }

        _opened = _opened with { Overhead = _opened.Overhead + frame.Length };
    }

    /// <summary>Takes the next record, which the engine has run.</summary>
    /// <returns>True: TLS itself has something to answer.</returns>
    /// <exception cref="TlsException">The client broke the protocol.</exception>
    /// <exception cref="RecordEngineException">The engine failed.</exception>
    public bool Take(ref RecordJob job)
    {
        var length = job.Bytes;
        var status = phase.CompleteRead(ref job, out var plaintext);
        var taken = _ended ? 0 : plaintext.Length;
        if (taken > 0)
        {
            application.Write(plaintext);
            _unflushed = true;
            Plaintext += taken;
        }

        if (phase.RecordsOpened <= firstNew)
            Volatile.Write(ref _replayEnd, Plaintext);

        _opened = new OpenedRecords(_opened.Records + 1, _opened.Bytes + length, _opened.Overhead + length - taken);
        if (status == ReadStatus.CloseNotify)
            Complete(null);
        return status == ReadStatus.ReplyPending;
    }

    /// <summary>Lets the application see what was opened. It is woken on the thread pool.</summary>
    /// <returns>What was opened since the last time.</returns>
    public OpenedRecords Flush()
    {
        var opened = _opened;
        _opened = default;
        if (!_unflushed || _ended)
            return opened;
        _unflushed = false;

        // The pipe has no limit of its own (credit is the limit), so this never waits.
        var flush = application.FlushAsync();
        if (flush.IsCompletedSuccessfully)
            _ended |= flush.Result.IsCompleted;
        return opened;
    }

    /// <summary>No more input: the client's end of it, or the connection's.</summary>
    public void Complete(Exception? error)
    {
        if (_completed)
            return;
        _completed = true;
        _ended = true;
        application.Complete(error);
    }
}
