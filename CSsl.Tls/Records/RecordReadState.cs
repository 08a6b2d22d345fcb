using System.Diagnostics;
using CSsl.Tls.Engines;
using CSsl.Tls.Records.Protection;

namespace CSsl.Tls.Records;

/// <summary>The one owner of the peer's write key and sequence number: opens the records of one direction of one connection.</summary>
/// <remarks>
/// <see cref="Open"/> does a record at once. Many records, of this and other connections, are opened by one engine call between <see cref="Prepare"/>
/// and <see cref="Complete"/>; those of one connection are completed in the order in which they were prepared. What a record holds is known only
/// when it is completed, so records are prepared in the hope that none before them changes the key. When one does, those after it are opened again
/// as they are completed, one by one: KeyUpdates are rare.
/// </remarks>
public sealed unsafe class RecordReadState : IDisposable
{
    private readonly TrafficKeyring _keys;
    private TlsException? _failure;
    private ulong _underWay;

    internal RecordReadState(TrafficKeyring keys, ulong sequence)
    {
        _keys = keys;
        Sequence = sequence;
    }

    internal TrafficKeyring Keys => _keys;

    /// <summary>Sequence number of the next record to complete.</summary>
    public ulong Sequence { get; private set; }

    /// <summary>Opens one whole record (header included) from <paramref name="record"/> into <paramref name="plaintext"/>.</summary>
    /// <param name="record">Exactly one record with its 5-byte header; not modified; must not overlap <paramref name="plaintext"/>.</param>
    /// <param name="plaintext">At least as long as the record; holds the content from offset 0 on return, and bytes without meaning after it.</param>
    /// <returns>The true content type (the inner one in TLS 1.3, which may be a number that does not exist) and the length of the content in <paramref name="plaintext"/>.</returns>
    /// <exception cref="TlsException">The record is refused. The error sticks: every later call throws it again.</exception>
    /// <exception cref="ArgumentException"><paramref name="record"/> is not exactly one record, or <paramref name="plaintext"/> is too short.</exception>
    public OpenedRecord Open(ReadOnlySpan<byte> record, Span<byte> plaintext)
    {
        var job = default(RecordJob);
        fixed (byte* pinnedRecord = record, pinnedPlaintext = plaintext)
        {
            Prepare(record, plaintext, ref job);
            try
            {
                Run(ref job);
            }
            catch
            {
                _underWay--;
                job.Release();
                throw;
            }

            return Complete(ref job);
        }
    }

    /// <summary>Makes the job that opens a record with the key and the sequence number that it has unless a record under way changes them.</summary>
    /// <param name="record">As for <see cref="Open"/>. Neither this memory nor that of <paramref name="plaintext"/> may move or be collected
    /// until the job is completed: see <see cref="RecordJob"/>.</param>
    /// <param name="plaintext">As for <see cref="Open"/>.</param>
    /// <param name="job">Overwritten; must hold no job that is neither completed nor released. It may stay idle: the record is refused when it is completed.</param>
    /// <exception cref="ArgumentException">As <see cref="Open"/>.</exception>
    public void Prepare(ReadOnlySpan<byte> record, Span<byte> plaintext, ref RecordJob job)
    {
        if (plaintext.Length < record.Length)
            throw new ArgumentException("The room for the plaintext is shorter than the record.", nameof(plaintext));
        var status = Peek(record, out var header);
        if (status == RecordStatus.NeedMore || (status == RecordStatus.Complete && record.Length != header.TotalLength))
            throw new ArgumentException("Not exactly one record.", nameof(record));

        Debug.Assert(job.Key is null, "A job is used again before it was completed.");
        fixed (byte* pinnedRecord = record, pinnedPlaintext = plaintext)
        {
            job.Record = pinnedRecord;
            job.RecordLength = record.Length;
            job.Destination = pinnedPlaintext;
        }

        Describe(ref job, Sequence + _underWay);
        _underWay++;
    }

    /// <summary>Takes what the engine made of a job: the next one in the order of <see cref="Prepare"/>. Gives the job's key back, whatever happens.</summary>
    /// <returns>As <see cref="Open"/>.</returns>
    /// <exception cref="TlsException">As <see cref="Open"/>.</exception>
    /// <exception cref="RecordEngineException">No engine has run it.</exception>
    public OpenedRecord Complete(ref RecordJob job)
    {
        try
        {
            _underWay--;
            if (_failure is not null)
                throw _failure;
            if (job.Generation != _keys.Generation)
                OpenAgain(ref job);
            var opened = Judge(in job);
            Sequence++;
            return opened;
        }
        catch (TlsException failure)
        {
            _failure = failure;
            throw;
        }
        finally
        {
            job.Release();
        }
    }

    /// <summary>RFC 8446 section 7.2: moves to the next traffic secret; the sequence starts again at 0. TLS 1.3 only.</summary>
    /// <exception cref="InvalidOperationException">Not TLS 1.3.</exception>
    public void UpdateKey()
    {
        _keys.Update();
        Sequence = 0;
    }

    /// <summary>Jobs under way keep their key until they are completed or released.</summary>
    public void Dispose() => _keys.Dispose();

    /// <summary>What a record held broke a rule above the record layer: that sticks too.</summary>
    internal TlsException Fail(TlsException failure) => _failure = failure;

    // Leaves the job idle when the record is refused.
    private void Describe(ref RecordJob job, ulong sequence)
    {
        job.Generation = _keys.Generation;
        if (_failure is null && Refusal(in job, sequence, out var header) is null)
            _keys.Protection.PrepareOpen(header, sequence, ref job);
    }

    private void OpenAgain(ref RecordJob job)
    {
        job.Release();
        Describe(ref job, Sequence);
        Run(ref job);
    }

    private OpenedRecord Judge(in RecordJob job)
    {
        if (Refusal(in job, Sequence, out var header) is { } refusal)
            throw refusal;
        return job.Status switch
        {
            RecordJobStatus.Done => _keys.Protection.Complete(header, in job),
            RecordJobStatus.NotAuthentic => throw RecordProtection.BadRecordMac(),
            _ => throw new RecordEngineException("A record was not opened."),
        };
    }

    /// <summary>Why a record is refused whatever the engine says; null: it isn't.</summary>
    private TlsException? Refusal(in RecordJob job, ulong sequence, out RecordHeader header)
    {
        var status = Peek(new ReadOnlySpan<byte>(job.Record, job.RecordLength), out header);
        if (status != RecordStatus.Complete)
            return new TlsException(RecordHeader.AlertFor(status), $"A record header is refused: {status}.");

        // These states begin after both Finished: no change_cipher_spec has a meaning any more, protected or not.
        if (header.Type == ContentType.ChangeCipherSpec)
            return new TlsException(AlertDescription.UnexpectedMessage, "change_cipher_spec after the handshake.");
        if (sequence == ulong.MaxValue)
            return new TlsException(AlertDescription.InternalError, "The sequence number must not wrap.");
        return _keys.Protection.Refusal(header);
    }

    private RecordStatus Peek(ReadOnlySpan<byte> record, out RecordHeader header)
        => RecordHeader.Peek(record, _keys.Protection.MaxCiphertext, out header);

    private void Run(ref RecordJob job)
    {
        if (job.Status == RecordJobStatus.Ready)
            _keys.Engine.Run(new Span<RecordJob>(ref job));
    }
}

/// <summary>What a record held.</summary>
public readonly record struct OpenedRecord(ContentType Type, int Length);

/// <summary>What the caller of <see cref="DataPhase.Read"/> does next.</summary>
public enum ReadStatus
{
    /// <summary>Plaintext was written for the application (its length may be 0).</summary>
    ApplicationData,

    /// <summary>The record was for TLS itself and needs no answer.</summary>
    Handled,

    /// <summary>The record was for TLS itself and needs an answer: ask for a turn to send and call <see cref="DataPhase.WritePending"/>.</summary>
    ReplyPending,

    /// <summary>The client sent close_notify: nothing more will be read; the other direction stays open (RFC 8446 section 6.1).</summary>
    CloseNotify,
}
