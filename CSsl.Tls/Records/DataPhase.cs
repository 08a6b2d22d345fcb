using System.Diagnostics;
using System.Runtime.CompilerServices;
using CSsl.Tls.Engines;
using CSsl.Tls.Keys;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records;

/// <summary>
/// The data phase of one connection, from the server's side: everything after the handshake. Does no I/O.
/// The read half (<see cref="Read"/>) and the write half (all others) may run on two threads, each on one at a time.
/// </summary>
/// <remarks>
/// Before sealing with <see cref="Writer"/>, whoever sends looks at <see cref="HasPending"/> and, when it is true, calls <see cref="WritePending"/>
/// first: that answers the client, and replaces a write key whose <see cref="RecordWriteState.KeyUpdateDue"/>. Once per batch of up to a few
/// thousand records is often enough. After <see cref="WriteAlert"/> nothing more can be sealed.
/// <see cref="ExportNext"/> and <see cref="Checkpoint"/> touch both halves: while they run, nothing else may.
/// </remarks>
public sealed unsafe partial class DataPhase : IDisposable
{
    private const int NoRenegotiationPending = 1;
    private const int KeyUpdatePending = 2;

    private readonly RecordReadState _reader;
    private readonly PostHandshakeReader _postHandshake;
    private readonly RecordFloodGuard _floodGuard;
    private readonly SessionKeys? _keys;
    private bool _closeNotifyReceived;
    private bool _keyUpdateExported;
    private ulong _recordsOpened;
    private ulong _controlRecords;
    private int _pending;
    private int _keyUpdatesOwed;

    /// <summary>Takes over the session's secrets; the session is consumed and must not be used again.</summary>
    /// <param name="session">What the handshake left.</param>
    /// <param name="engine">Seals and opens the records; null for .NET's own ciphers. Stays the caller's.</param>
    /// <param name="time">Bounds what a client can make us do in a time; null for the system's.</param>
    /// <exception cref="ArgumentException">The session contradicts itself (version, suite, lengths of secrets).</exception>
    public DataPhase(ExportedSession session, IRecordEngine? engine = null, TimeProvider? time = null)
        : this(session, engine, limit: null, time)
    {
    }

    internal DataPhase(ExportedSession session, IRecordEngine? engine, KeyUsageLimit? limit, TimeProvider? time = null)
    {
        _floodGuard = new RecordFloodGuard(time ?? TimeProvider.System);
        using (session)
        {
            Version = session.Version;
            CipherSuite = session.CipherSuite;
            _recordsOpened = session.ClientSequence;
            _postHandshake = session.Version == TlsVersion.Tls13 ? new KeyUpdateReader() : new RenegotiationReader();
            _keys = session.Version == TlsVersion.Tls13 ? new SessionKeys(session) : null;
            Exporter = new KeyingMaterialExporter(session);
            try
            {
                (_reader, Writer) = RecordStates.Create(session, TlsEndpoint.Server, limit, engine);
            }
            catch
            {
                Exporter.Dispose();
                throw;
            }
        }
    }

    public TlsVersion Version { get; }
    public CipherSuite CipherSuite { get; }

    /// <summary>True: a KeyUpdate of ours waits until <see cref="ExportNext"/> has exported the session that begins with it.</summary>
    public bool HoldsKeyUpdates { get; init; }

    /// <summary>Keys for protocols above TLS; disposed with this.</summary>
    public KeyingMaterialExporter Exporter { get; }

    /// <summary>Opens one whole record; handles alerts, KeyUpdate, renegotiation requests and other post-handshake messages.</summary>
    /// <param name="record">One record, header included. After close_notify it is ignored (RFC 8446 section 6.1).</param>
    /// <param name="plaintext">At least as long as the record.</param>
    /// <param name="written">Bytes of application data in <paramref name="plaintext"/>.</param>
    /// <exception cref="TlsException">Fatal: send <see cref="TlsException.Alert"/> with <see cref="WriteAlert"/> and close.
    /// When the client itself sent the fatal alert, <see cref="ReceivedFatalAlert"/> is set and nothing need be sent. The error sticks.</exception>
    public ReadStatus Read(ReadOnlySpan<byte> record, Span<byte> plaintext, out int written)
    {
        written = 0;
        return _closeNotifyReceived ? ReadStatus.CloseNotify : Take(_reader.Open(record, plaintext), plaintext, out written);
    }

    /// <summary>The first half of <see cref="Read"/>: makes the job that opens the record, for a batch. Any number of records may be prepared before the
    /// first of them is completed.</summary>
    /// <param name="record">As for <see cref="Read"/>; like <paramref name="plaintext"/>, in memory that neither moves nor is collected until the job is
    /// completed (<see cref="RecordJob"/>).</param>
    /// <param name="plaintext">As for <see cref="Read"/>.</param>
    /// <param name="job">Overwritten. A record that can't be opened leaves it idle: that shows when it is completed.</param>
    public void PrepareRead(ReadOnlySpan<byte> record, Span<byte> plaintext, ref RecordJob job) => _reader.Prepare(record, plaintext, ref job);

    /// <summary>The second half of <see cref="Read"/>, when the engine has run the job: in the order in which the records were prepared.</summary>
    /// <param name="job">Gives its key back, whatever happens.</param>
    /// <param name="applicationData">In the memory that the record was prepared with.</param>
    /// <exception cref="TlsException">As <see cref="Read"/>.</exception>
    /// <exception cref="RecordEngineException">The engine failed: close with internal_error.</exception>
    public ReadStatus CompleteRead(ref RecordJob job, out ReadOnlySpan<byte> applicationData)
    {
        applicationData = default;
        if (_closeNotifyReceived)
        {
            job.Release();
            return ReadStatus.CloseNotify;
        }

        var plaintext = new ReadOnlySpan<byte>(job.Destination, job.RecordLength);
        var status = Take(_reader.Complete(ref job), plaintext, out var written);
        applicationData = plaintext[..written];
        return status;
    }

    /// <summary>The fatal alert that the client sent, if it sent one.</summary>
    public AlertDescription? ReceivedFatalAlert { get; private set; }

    /// <summary>Exports the session as it will be after the KeyUpdate that is due: from the first record under the next write key on, and from the last checkpoint of the
    /// client's records on. The KeyUpdate is held no longer. The caller disposes the session.</summary>
    /// <exception cref="InvalidOperationException">None is due.</exception>
    public ExportedSession ExportNext()
    {
        if (_keys is null || !KeyUpdateDue)
            throw new InvalidOperationException("No KeyUpdate is due.");
        _keyUpdateExported = true;
        return _keys.ExportNext(_reader.Keys, Writer.Keys, Exporter.CopySecret(), RecordsSealed + 1);
    }

    /// <summary>The client's records that were opened so far are never asked for again.</summary>
    /// <param name="isRenewalDue">Export the session whether its keys have changed or not.</param>
    /// <returns>The session from here on when the client's key has changed since the last checkpoint, or it is to be renewed, which the caller disposes; else null.
    /// Always null in TLS 1.2, where what was exported once stays true.</returns>
    public ExportedSession? Checkpoint(bool isRenewalDue = false)
        => _keys is not null && (_keys.Checkpoint(RecordsOpened) | isRenewalDue) ? _keys.Export(_reader.Keys, Writer.Keys, Exporter.CopySecret(), RecordsSealed) : null;

    /// <summary>See <see cref="RecordWriteState"/>: layout, limits and overhead of outgoing records.</summary>
    public RecordWriteState Writer { get; }

    /// <summary>Records opened in all (the gateway's client counter must agree): begins at the session's ClientSequence and counts on over key updates.</summary>
    public ulong RecordsOpened => Volatile.Read(ref _recordsOpened);

    /// <summary>Records sealed in all (the gateway's server counter must come to the same): begins at the session's ServerSequence and counts on over key updates.</summary>
    public ulong RecordsSealed => (_keys?.ServerKeyBase ?? 0) + Writer.Sequence;

    /// <summary>True while a handshake message of the client has begun that is not complete.</summary>
    public bool MessageUnderWay => _postHandshake.MessageUnderWay;

    public void Dispose()
    {
        _keys?.Dispose();
        _reader.Dispose();
        Writer.Dispose();
        Exporter.Dispose();
    }

    private ReadStatus Take(OpenedRecord opened, ReadOnlySpan<byte> plaintext, out int written)
    {
        written = 0;
        Volatile.Write(ref _recordsOpened, _recordsOpened + 1);
        var content = plaintext[..opened.Length];
        try
        {
            // RFC 8446 section 5.1: no other records between those of one handshake message.
            if (_postHandshake.MessageUnderWay && Version == TlsVersion.Tls13 && opened.Type != ContentType.Handshake)
                throw new TlsException(AlertDescription.UnexpectedMessage, "A handshake message is interrupted by another record.");

            switch (opened.Type)
            {
                case ContentType.ApplicationData:
                    _floodGuard.OnApplicationData(content.Length);
                    written = content.Length;
                    return ReadStatus.ApplicationData;
                case ContentType.Alert:
                    return OnAlert(content);
                case ContentType.Handshake:
                    return OnHandshake(content);
                default:
                    throw new TlsException(AlertDescription.UnexpectedMessage, $"A record of type {(byte)opened.Type} after the handshake.");
            }
        }
        catch (TlsException failure)
        {
            throw _reader.Fail(failure);
        }
    }

    private ReadStatus OnAlert(ReadOnlySpan<byte> content)
    {
        // RFC 8446 sections 5.1 and 5.4: one whole alert per record, never an empty one.
        if (!Alert.TryRead(content, out var alert))
            throw new TlsException(content.IsEmpty ? AlertDescription.UnexpectedMessage : AlertDescription.DecodeError, $"An alert of {content.Length} bytes.");
        if (Version == TlsVersion.Tls12 && alert.Level is not (AlertLevel.Warning or AlertLevel.Fatal))
            throw new TlsException(AlertDescription.IllegalParameter, $"An alert of level {(byte)alert.Level}.");

        if (alert.Description == AlertDescription.CloseNotify)
        {
            _closeNotifyReceived = true;
            return ReadStatus.CloseNotify;
        }

        if (alert.IsFatal(Version))
        {
            ReceivedFatalAlert = alert.Description;
            throw new TlsException(alert.Description, $"The client sent the alert {alert}.");
        }

        _floodGuard.OnWarning();
        return ReadStatus.Handled;
    }

    private ReadStatus OnHandshake(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty)
            throw new TlsException(AlertDescription.UnexpectedMessage, "An empty handshake record.");

        switch (_postHandshake.Read(content))
        {
            case PostHandshakeEvent.KeyUpdate:
                OnKeyUpdate();
                return ReadStatus.Handled;
            case PostHandshakeEvent.KeyUpdateRequested:
                OnKeyUpdate();
                Interlocked.Or(ref _pending, KeyUpdatePending);
                return ReadStatus.ReplyPending;
            case PostHandshakeEvent.RenegotiationRequested:
                _floodGuard.OnRenegotiationRequest();
                Interlocked.Or(ref _pending, NoRenegotiationPending);
                return ReadStatus.ReplyPending;
            case PostHandshakeEvent.None:
                return ReadStatus.Handled;
            default:
                throw new UnreachableException();
        }
    }

    private void OnKeyUpdate()
    {
        // Without our own answers, which would pay for what they answer. The other half writes both numbers: too few for a moment is as good.
        var sent = RecordsSealed;
        _floodGuard.OnKeyUpdate(sent - Math.Min(sent, Volatile.Read(ref _controlRecords)));
        _keys!.OnClientUpdate(_reader.Keys, _recordsOpened);
        _reader.UpdateKey();
    }

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
    /// <param name="times">So often, one after the other.</param>
    public void RequestKeyUpdate(int times = 1)
    {
        if (_keys is null || times <= 0)
            return;
        Volatile.Write(ref _keyUpdatesOwed, times - 1);
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
            if (_keyUpdatesOwed > 0)
            {
                _keyUpdatesOwed--;
                Interlocked.Or(ref _pending, KeyUpdatePending);
            }
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
