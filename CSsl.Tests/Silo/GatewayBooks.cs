using CSsl.Link;
using CSsl.Tls.Records;

namespace CSsl.Tests.Silo;

/// <summary>
/// What a gateway keeps of one connection over all its silos, by the protocol of docs/adr/0005 and nothing else: both counts, the capsule, the client's records
/// since the last checkpoint, and what was delivered since. Fails where a silo breaks the protocol. It can be told to lose its silo after a number of Records frames.
/// </summary>
internal sealed class GatewayBooks
{
    private readonly Attach _first;
    private readonly Lock _gate = new();
    private readonly List<byte[]> _retained = [];
    private readonly Queue<Rekeyed> _pending = new();
    private readonly List<TaskCompletionSource> _waiting = [];
    private ReadOnlyMemory<byte> _capsule;
    private ulong _checkpoint;
    private ulong _delivered;
    private ulong _deliveredBytes;
    private byte[] _note = [];
    private int _recordsSeen;
    private ushort _takeovers;
    private uint _generation = 1;
    private (ulong Delivered, byte Losses) _lost = (ulong.MaxValue, 0);

    public GatewayBooks(Attach first)
    {
        _first = first;
        (_capsule, _checkpoint, _delivered) = (first.Capsule, first.ClientSequence, first.ServerSequence);
    }

    /// <summary>The silo is lost once it has had so many more Records frames delivered; what it sends after that is not.</summary>
    public int FramesUntilLoss { get; set; } = int.MaxValue;

    /// <summary>How many silos the session had before the one that it is at.</summary>
    public int Silo { get; private set; }

    /// <summary>What a silo did that it may not; empty.</summary>
    public List<string> Faults { get; } = [];

    public List<Checkpoint> Checkpoints { get; } = [];

    public int Notes { get; private set; }

    public int Rekeys { get; private set; }

    /// <summary>Bytes of application data that the client has since the last checkpoint.</summary>
    public ulong DeliveredBytes
    {
        get
        {
            lock (_gate)
                return _deliveredBytes;
        }
    }

    /// <summary>With which the next silo goes on.</summary>
    public ReadOnlyMemory<byte> Capsule
    {
        get
        {
            lock (_gate)
                return _capsule;
        }
    }

    /// <summary>Client records that are retained.</summary>
    public int Retained
    {
        get
        {
            lock (_gate)
                return _retained.Count;
        }
    }

    /// <summary>Client records in all.</summary>
    public ulong Forwarded
    {
        get
        {
            lock (_gate)
                return _checkpoint + (ulong)_retained.Count;
        }
    }

    /// <summary>Waits until nothing is retained: a checkpoint behind all that was sent.</summary>
    public Task CheckpointedAsync()
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_retained.Count == 0)
                return Task.CompletedTask;
            _waiting.Add(waiting);
        }

        return waiting.Task.WaitAsync(TestSilo.Patience);
    }

    /// <summary>The silo is lost now, if it was not before.</summary>
    public void Lose()
    {
        lock (_gate)
            Silo++;
    }

    /// <summary>Records of the client go to the silo.</summary>
    public void Forward(ReadOnlySpan<byte> records)
    {
        lock (_gate)
            _retained.AddRange(Split(records));
    }

    /// <summary>A frame of the silo; false: it is not delivered any more.</summary>
    /// <param name="silo">Which silo of the session it was, from 0: the fence.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="payload">Its payload.</param>
    public bool Take(int silo, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (FramesUntilLoss <= 0 || silo != Silo)
                return false;
            switch (kind)
            {
                case FrameKind.Records:
                    FramesUntilLoss--;
                    _delivered += (ulong)Split(RecordsPrefix.Read(payload, out var bytes)).Count;
                    _deliveredBytes += (ulong)bytes;
                    while (_pending.TryPeek(out var due) && due.ServerRecord <= _delivered)
                        _capsule = _pending.Dequeue().Capsule;
                    break;
                case FrameKind.Checkpoint:
                    OnCheckpoint(Checkpoint.Decode(payload));
                    break;
                case FrameKind.Detach:
                    var detach = Detach.Decode(payload);
                    OnCheckpoint(new Checkpoint { ClientRecord = detach.ClientRecord, ServerRecord = detach.ServerRecord, Capsule = detach.Capsule });
                    break;
                case FrameKind.ResponseNote:
                    _note = ResponseNote.Decode(payload).Sealed.ToArray();
                    Notes++;
                    break;
                default:
                    OnRekeyed(Rekeyed.Decode(payload));
                    break;
            }

            return true;
        }
    }

    /// <summary>The attach with which the session goes on elsewhere, and the client's records that go with it.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="isReplayable">False: the records are lost.</param>
    public (Attach Attach, byte[] Records) Next(AttachCause cause, bool isReplayable = true)
    {
        lock (_gate)
        {
            var isTakeover = cause == AttachCause.Takeover;
            if (isTakeover)
            {
                _takeovers++;
                _lost = (_delivered, (byte)(_lost.Delivered == _delivered ? _lost.Losses + 1 : 1));
            }

            _pending.Clear();
            FramesUntilLoss = int.MaxValue;
            _recordsSeen = Math.Max(_recordsSeen, isTakeover ? _retained.Count : 0);
            var attach = _first with
            {
                Capsule = _capsule,
                ClientSequence = isReplayable ? _checkpoint : _checkpoint + (ulong)_retained.Count,
                ServerSequence = _delivered,
                Cause = cause,
                Takeovers = _takeovers,
                Generation = ++_generation,
                KeyUpdates = isTakeover ? _lost.Losses : (byte)0,
                ReplayRecords = isTakeover && isReplayable ? _recordsSeen : 0,
                IsReplayable = isReplayable,
                DeliveredBytes = isTakeover ? _deliveredBytes : 0,
                Response = isTakeover ? _note : default,
            };
            byte[] records = isReplayable ? [.. _retained.SelectMany(static record => record)] : [];
            return (attach, records);
        }
    }

    private void OnCheckpoint(Checkpoint checkpoint)
    {
        Checkpoints.Add(checkpoint);
        if (checkpoint.ClientRecord < _checkpoint || checkpoint.ClientRecord > _checkpoint + (ulong)_retained.Count)
            Faults.Add($"a checkpoint at client record {checkpoint.ClientRecord}, after {_checkpoint} and with {_retained.Count} retained");
        if (checkpoint.ServerRecord != _delivered)
            Faults.Add($"a checkpoint at server record {checkpoint.ServerRecord}, with {_delivered} delivered");
        if (_pending.Count > 0)
            Faults.Add("a checkpoint between a new key and its first record");
        if (Faults.Count > 0)
        {
            _waiting.ForEach(waiting => waiting.TrySetException(new InvalidOperationException(Faults[0])));
            return;
        }

        _retained.RemoveRange(0, (int)(checkpoint.ClientRecord - _checkpoint));
        _recordsSeen = 0;
        _checkpoint = checkpoint.ClientRecord;
        _deliveredBytes = 0;
        _note = [];
        if (!checkpoint.Capsule.IsEmpty)
            _capsule = checkpoint.Capsule;
        if (_retained.Count > 0)
            return;
        _waiting.ForEach(static waiting => waiting.TrySetResult());
        _waiting.Clear();
    }

    private void OnRekeyed(Rekeyed rekeyed)
    {
        Rekeys++;
        if (rekeyed.ServerRecord <= _delivered)
            Faults.Add($"a new key from server record {rekeyed.ServerRecord} on, with {_delivered} delivered");
        _pending.Enqueue(rekeyed);
    }

    public static List<byte[]> Split(ReadOnlySpan<byte> records)
    {
        var split = new List<byte[]>();
        while (!records.IsEmpty)
        {
            // What is no record counts as one: tests send that too.
            var length = records.Length < RecordHeader.Size ? records.Length : Math.Min(records.Length, RecordHeader.Size + ((records[3] << 8) | records[4]));
            split.Add(records[..length].ToArray());
            records = records[length..];
        }

        return split;
    }
}
