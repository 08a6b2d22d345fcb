using System.Runtime.CompilerServices;
using CSsl.Tls.Engines;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records;

/// <content>What TLS itself sends: answers, KeyUpdates, alerts.</content>
public sealed unsafe partial class DataPhase
{
    /// <summary>Room that <see cref="WritePending"/> and <see cref="WriteAlert"/> need.</summary>
    public const int ControlRoom = 256;

    /// <summary>The most records that <see cref="PreparePending"/> makes.</summary>
    public const int ControlRecords = 2;

    private const byte UpdateNotRequested = 0;

    /// <summary>True while TLS itself has something to send: an answer (KeyUpdate, no_renegotiation), or a KeyUpdate of our own because
    /// <see cref="RecordWriteState.KeyUpdateDue"/>. Then call <see cref="WritePending"/> before the next Seal. Safe to read on any thread.</summary>
    public bool HasPending => !Writer.IsClosed && (Volatile.Read(ref _pending) != 0 || Writer.KeyUpdateDue);

    /// <summary>True while the next <see cref="WritePending"/> is to change the write key (TLS 1.3). Safe to read on any thread.</summary>
    public bool KeyUpdateDue => !Writer.IsClosed && ((Volatile.Read(ref _pending) & KeyUpdatePending) != 0 || Writer.KeyUpdateDue);

    /// <summary>True when a KeyUpdate is due that waits for <see cref="ExportNext"/>.</summary>
    public bool KeyUpdateHeld => HoldsKeyUpdates && !_keyUpdateExported && KeyUpdateDue;

    /// <summary>Changes the write key before anything else is sealed: what the lost end of a connection sealed, and nobody counted, shares no nonce with what follows.
    /// Without effect in TLS 1.2, which has <see cref="ExportedSession.SkipNonces"/>.</summary>
    public void RequestKeyUpdate()
    {
        if (_keys is not null)
            Interlocked.Or(ref _pending, KeyUpdatePending);
    }

    /// <summary>Writes what TLS itself has to send, whole records; returns their length, 0 if there is none. Needs 256 bytes of room.</summary>
    /// <exception cref="ArgumentException">Less room than <see cref="ControlRoom"/>.</exception>
    public int WritePending(Span<byte> destination)
    {
        var jobs = default(ControlJobs);
        fixed (byte* pinned = destination)
        {
            var written = PreparePending(destination, jobs, out var prepared);
            Writer.Run(jobs[..prepared]);
            return written;
        }
    }

    /// <summary>The first half of <see cref="WritePending"/>, for a batch. What is sealed after it is already under the new key.</summary>
    /// <param name="destination">Room of <see cref="ControlRoom"/>, in memory that neither moves nor is collected until the jobs are completed.</param>
    /// <param name="jobs">At least <see cref="ControlRecords"/>; those of the records, from the first on. Complete them with <see cref="RecordWriteState.Complete"/>.</param>
    /// <param name="prepared">How many there are.</param>
    /// <returns>Bytes of the records.</returns>
    /// <exception cref="ArgumentException">Less room than <see cref="ControlRoom"/>.</exception>
    public int PreparePending(Span<byte> destination, Span<RecordJob> jobs, out int prepared)
    {
        ThrowIfShort(destination);
        prepared = 0;
        if (!HasPending)
            return 0;

        var written = 0;
        var pending = Interlocked.Exchange(ref _pending, 0);
        if ((pending & NoRenegotiationPending) != 0)
            written += Prepare(AlertDescription.NoRenegotiation, destination, ref jobs[prepared++]);
        var keyUpdateDue = (pending & KeyUpdatePending) != 0 || Writer.KeyUpdateDue;
        if (keyUpdateDue && HoldsKeyUpdates && !_keyUpdateExported)
        {
            Interlocked.Or(ref _pending, KeyUpdatePending);
        }
        else if (keyUpdateDue)
        {
            // RFC 8446 section 4.6.3: the message goes out under the old key, all that follows under the new one.
            var sealedBefore = RecordsSealed;
            ReadOnlySpan<byte> keyUpdate = [KeyUpdateReader.MessageType, 0, 0, 1, UpdateNotRequested];
            keyUpdate.CopyTo(destination[(written + Writer.PrefixLength)..]);
            written += Writer.Prepare(ContentType.Handshake, destination[written..], keyUpdate.Length, ref jobs[prepared++]);
            Writer.UpdateKey();
            _keys!.OnServerUpdate(sealedBefore + 1);
            _keyUpdateExported = false;
        }

        Volatile.Write(ref _controlRecords, _controlRecords + (ulong)prepared);
        return written;
    }

    /// <summary>Writes one alert record (close_notify: warning; others: fatal); returns its length. Needs 256 bytes of room.
    /// It is the last record: a second call writes nothing and returns 0.</summary>
    /// <exception cref="ArgumentException">Less room than <see cref="ControlRoom"/>.</exception>
    public int WriteAlert(AlertDescription alert, Span<byte> destination)
    {
        var job = default(RecordJob);
        fixed (byte* pinned = destination)
        {
            var written = PrepareAlert(alert, destination, ref job);
            Writer.Run(new Span<RecordJob>(ref job)[..(written > 0 ? 1 : 0)]);
            return written;
        }
    }

    /// <summary>The first half of <see cref="WriteAlert"/>, for a batch. Nothing can be prepared after it.</summary>
    /// <param name="alert">The alert.</param>
    /// <param name="destination">Room of <see cref="ControlRoom"/>, in memory that neither moves nor is collected until the job is completed.</param>
    /// <param name="job">Complete it with <see cref="RecordWriteState.Complete"/>; untouched when nothing is written.</param>
    /// <returns>Bytes of the record, or 0.</returns>
    /// <exception cref="ArgumentException">Less room than <see cref="ControlRoom"/>.</exception>
    public int PrepareAlert(AlertDescription alert, Span<byte> destination, ref RecordJob job)
    {
        ThrowIfShort(destination);
        if (Writer.IsClosed)
            return 0;
        var written = Prepare(alert, destination, ref job);
        Writer.Close();
        return written;
    }

    private int Prepare(AlertDescription description, Span<byte> destination, ref RecordJob job)
    {
        Alert.Of(description).Write(destination[Writer.PrefixLength..]);
        return Writer.Prepare(ContentType.Alert, destination, Alert.Size, ref job);
    }

    private static void ThrowIfShort(Span<byte> destination)
    {
        if (destination.Length < ControlRoom)
            throw new ArgumentException($"Needs {ControlRoom} bytes of room.", nameof(destination));
    }

    [InlineArray(ControlRecords)]
    private struct ControlJobs
    {
        private RecordJob _first;
    }
}
