using System.Diagnostics;
using CSsl.Tls.Engines;

namespace CSsl.Tls.Records;

/// <summary>The one owner of our write key and sequence number: seals the records of one direction of one connection, in place.</summary>
/// <remarks>
/// <code>
///  record[0 .. PrefixLength)                        header, explicit nonce or IV: written by Prepare
///  record[PrefixLength .. PrefixLength + n)         the plaintext, put there by the caller
///  record[PrefixLength + n .. SealedLength(n))      content type, padding: written by Prepare; MAC, tag: written by the engine
/// </code>
/// <see cref="Seal"/> does a record at once. Many records, of this and other connections, are sealed by one engine call between <see cref="Prepare"/>
/// and <see cref="Complete"/>; they are sent in the order in which they were prepared, and none of a connection before those prepared earlier.
/// </remarks>
public sealed unsafe class RecordWriteState : IDisposable
{
    private readonly TrafficKeyring _keys;
    private readonly KeyUsageLimit _limit;
    private ulong _sequence;

    internal RecordWriteState(TrafficKeyring keys, ulong sequence, int maxPlaintext, KeyUsageLimit limit)
    {
        _keys = keys;
        _limit = limit;
        _sequence = sequence;
        MaxPlaintext = maxPlaintext;
    }

    internal TrafficKeyring Keys => _keys;

    /// <summary>Sequence number of the next record to prepare.</summary>
    public ulong Sequence => Volatile.Read(ref _sequence);

    /// <summary>Bytes before the plaintext: 5 (header) plus the explicit nonce (1.2 GCM: 8) or IV (CBC: 16).</summary>
    public int PrefixLength => RecordHeader.Size + _keys.Protection.ExplicitIvLength;

    /// <summary>The most plaintext one record may carry: 2^14, or less by max_fragment_length or record_size_limit.</summary>
    public int MaxPlaintext { get; }

    /// <summary>True once the key has sealed so many records that a KeyUpdate is due (RFC 8446 section 5.5). Never in TLS 1.2. Safe to read on any thread.</summary>
    public bool KeyUpdateDue => Sequence >= _limit.UpdateAt && _keys.CanUpdate;

    /// <summary>True after <see cref="Close"/>.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Length of the whole record that carries <paramref name="plaintextLength"/> bytes.</summary>
    public int SealedLength(int plaintextLength) => _keys.Protection.SealedLength(plaintextLength);

    /// <summary>Seals the plaintext that lies at <c>record[PrefixLength..]</c> and returns the length of the record.</summary>
    /// <exception cref="ArgumentException">The span is shorter than <see cref="SealedLength"/>, or the plaintext longer than <see cref="MaxPlaintext"/>.</exception>
    /// <exception cref="InvalidOperationException">The key's limit is reached (only alerts are sealed then, until the sequence number ends), or the direction was closed.</exception>
    /// <exception cref="RecordEngineException">The engine failed: the record must not be sent.</exception>
    public int Seal(ContentType type, Span<byte> record, int plaintextLength)
    {
        var job = default(RecordJob);
        fixed (byte* pinned = record)
        {
            var length = Prepare(type, record, plaintextLength, ref job);
            Run(new Span<RecordJob>(ref job));
            return length;
        }
    }

    /// <summary>Takes a sequence number for the record, writes what of it needs no key, and makes the job that seals it.</summary>
    /// <param name="type">Its content type.</param>
    /// <param name="record">Where the record will stand, with the plaintext in its place; the record fills it from its start. This memory must neither
    /// move nor be collected until the job is completed: see <see cref="RecordJob"/>.</param>
    /// <param name="plaintextLength">Bytes of plaintext.</param>
    /// <param name="job">Overwritten; must hold no job that is neither completed nor released.</param>
    /// <returns>The length of the record.</returns>
    /// <exception cref="ArgumentException">As <see cref="Seal"/>.</exception>
    /// <exception cref="InvalidOperationException">As <see cref="Seal"/>.</exception>
    public int Prepare(ContentType type, Span<byte> record, int plaintextLength, ref RecordJob job)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(plaintextLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plaintextLength, MaxPlaintext);
        var length = _keys.Protection.SealedLength(plaintextLength);
        if (record.Length < length)
            throw new ArgumentException($"The record needs {length} bytes of room.", nameof(record));
        if (IsClosed)
            throw new InvalidOperationException("Nothing is sent after close_notify or a fatal alert.");
        if (_sequence >= _limit.RefuseAt && (type != ContentType.Alert || _sequence == ulong.MaxValue))
            throw new InvalidOperationException($"The key has sealed {_sequence} records, which is its limit.");

        Debug.Assert(job.Key is null, "A job is used again before it was completed.");
        fixed (byte* pinned = record)
            _keys.Protection.PrepareSeal(type, _sequence, pinned, length, plaintextLength, ref job);
        Volatile.Write(ref _sequence, _sequence + 1);
        return length;
    }

    /// <summary>Gives the job's key back. Says nothing about a connection and may be called on any thread, also while more is prepared.</summary>
    /// <exception cref="RecordEngineException">It was not sealed: its record is plaintext and must not be sent.</exception>
    public static void Complete(ref RecordJob job)
    {
        var isSealed = job.Status == RecordJobStatus.Done;
        job.Release();
        if (!isSealed)
            throw NotSealed();
    }

    /// <summary>RFC 8446 section 7.2: moves to the next traffic secret; the sequence starts again at 0. TLS 1.3 only. Jobs under way keep the old key.</summary>
    /// <exception cref="InvalidOperationException">Not TLS 1.3.</exception>
    public void UpdateKey()
    {
        _keys.Update();
        Volatile.Write(ref _sequence, 0);
    }

    /// <summary>Jobs under way keep their key until they are completed or released.</summary>
    public void Dispose() => _keys.Dispose();

    /// <summary>The last record was prepared (RFC 8446 section 6.1): from here on <see cref="Prepare"/> refuses.</summary>
    internal void Close() => IsClosed = true;

    /// <summary>Runs and completes jobs of this direction, as a batch of their own.</summary>
    /// <exception cref="RecordEngineException">The engine failed: the records must not be sent.</exception>
    internal void Run(Span<RecordJob> jobs)
    {
        var done = 0;
        try
        {
            _keys.Engine.Run(jobs);
        }
        finally
        {
            foreach (ref var job in jobs)
            {
                if (job.Status == RecordJobStatus.Done)
                    done++;
                job.Release();
            }
        }

        if (done < jobs.Length)
            throw NotSealed();
    }

    private static RecordEngineException NotSealed() => new("A record was not sealed.");
}
