using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using CSsl.Link;
using CSsl.Tls;
using CSsl.Tls.Records;

namespace CSsl.Silo.Transport;

/// <summary>What follows a turn.</summary>
internal enum TurnOutcome
{
    /// <summary>Nothing to send until the application writes.</summary>
    Idle,

    /// <summary>There is more to send: ask for another turn.</summary>
    More,

    /// <summary>close_notify was the last record: everything is sent.</summary>
    Done,

    /// <summary>A fatal alert was the last record: nothing more may be sent.</summary>
    Failed,
}

/// <summary>The application's output on its way to the client: cut into records, laid out where they are sent from. Not thread-safe.</summary>
/// <remarks>Reads the application's pipe without a task: a read that waits ends in <paramref name="readable"/>, on the thread of whoever wrote.</remarks>
internal sealed class RecordOutput(LinkChannel channel, DataPhase phase, PipeReader application, Action readable)
{
    private ValueTask<ReadResult> _read;
    private ReadResult _result;
    private bool _hasResult;
    private bool _completed;
    private AlertDescription? _fatal;

    /// <summary>True while all that the application has flushed is laid out.</summary>
    public bool IsDrained => !_hasResult && !_completed && _fatal is null;

    /// <summary>Starts the first read, which waits for the application.</summary>
    public void Start() => Read();

    /// <summary>Takes what a read that had to wait brought. Then a turn is due.</summary>
    /// <exception cref="Exception">The application ended its output with this error.</exception>
    public void TakeRead()
    {
        _result = _read.GetAwaiter().GetResult();
        _read = default;
        _hasResult = true;
    }

    /// <summary>Nothing of the application is sent any more: the next turn sends this alert, the last record of the connection.</summary>
    public void Fail(AlertDescription alert) => _fatal ??= alert;

    /// <summary>Lays whole records out at the start of <paramref name="room"/>; the batch seals them.</summary>
    /// <param name="room">At least one record of the largest size.</param>
    /// <param name="sealing">Gets a job for each.</param>
    /// <param name="outcome">What follows.</param>
    /// <returns>Bytes and number of the records, and how much of the application's output is in them.</returns>
    public (int Bytes, int Records, int Plaintext) Fill(Span<byte> room, RecordBatch sealing, out TurnOutcome outcome)
    {
        outcome = TurnOutcome.Idle;
        var before = sealing.Count;
        if (_fatal is { } alert)
        {
            outcome = alert == AlertDescription.CloseNotify ? TurnOutcome.Done : TurnOutcome.Failed;
            return (Prepare(alert, room, sealing), sealing.Count - before, 0);
        }

        var written = phase.HasPending ? PreparePending(room, sealing) : 0;
        if (phase.KeyUpdateDue)
        {
            // Another one, before anything of the application's.
            outcome = TurnOutcome.More;
            return (written, sealing.Count - before, 0);
        }

        if (!_hasResult)
            return (written, sealing.Count - before, 0);

        var rest = _result.Buffer;
        written += Prepare(ref rest, room[written..], sealing);
        var plaintext = (int)(_result.Buffer.Length - rest.Length);
        if (rest.IsEmpty && _result.IsCompleted && room.Length - written >= DataPhase.ControlRoom)
        {
            written += Prepare(AlertDescription.CloseNotify, room[written..], sealing);
            outcome = TurnOutcome.Done;
            return (written, sealing.Count - before, plaintext);
        }

        application.AdvanceTo(rest.IsEmpty ? _result.Buffer.End : rest.Start);
        outcome = Read() ? TurnOutcome.More : TurnOutcome.Idle;
        return (written, sealing.Count - before, plaintext);
    }

    /// <summary>The connection is over: what the application still writes goes nowhere. That is no error to it, as with a socket: Kestrel takes an
    /// exception of a write for a fault of its own, and logs it as critical.</summary>
    public void Complete()
    {
        if (_completed)
            return;
        _completed = true;
        _hasResult = false;
        _result = default;
        application.Complete();
    }

    private int Prepare(ref ReadOnlySequence<byte> plaintext, Span<byte> room, RecordBatch sealing)
    {
        var writer = phase.Writer;
        var written = 0;
        while (!plaintext.IsEmpty)
        {
            // Always as much as a record may carry: what doesn't fit into this turn waits for the next one.
            var length = (int)Math.Min(plaintext.Length, writer.MaxPlaintext);
            var sealedLength = writer.SealedLength(length);
            if (sealedLength > room.Length - written)
                break;

            var record = room.Slice(written, sealedLength);
            plaintext.Slice(0, length).CopyTo(record[writer.PrefixLength..]);
            written += writer.Prepare(ContentType.ApplicationData, record, length, ref sealing.Add(channel));
            plaintext = plaintext.Slice(length);
        }

        return written;
    }

    private int PreparePending(Span<byte> room, RecordBatch sealing)
    {
        var written = phase.PreparePending(room, sealing.Reserve(DataPhase.ControlRecords), out var records);
        sealing.Commit(channel, records);
        return written;
    }

    private int Prepare(AlertDescription alert, Span<byte> room, RecordBatch sealing)
    {
        var written = phase.PrepareAlert(alert, room, ref sealing.Reserve(1)[0]);
        sealing.Commit(channel, written > 0 ? 1 : 0);
        return written;
    }

    /// <summary>True when there is something already.</summary>
    [SuppressMessage("Reliability", "CA2012:Use ValueTasks correctly", Justification = "Its result is taken exactly once, in TakeRead; an async method would be a task per connection that waits.")]
    private bool Read()
    {
        _hasResult = false;
        _result = default;
        _read = application.ReadAsync();
        if (_read.IsCompleted)
        {
            TakeRead();
            return true;
        }

        // May call back before it returns, when the application writes meanwhile.
        _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(readable);
        return false;
    }
}
