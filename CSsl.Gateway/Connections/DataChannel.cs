using CSsl.Gateway.Metrics;
using CSsl.Gateway.Records;
using CSsl.Grains.Link;
using CSsl.Tls;

namespace CSsl.Gateway.Connections;

/// <summary>How the data phase of a connection ended, for the gateway.</summary>
internal enum DataOutcome
{
    /// <summary>The silo has said the last word, and the client's kernel side has it: FIN.</summary>
    Done,

    /// <summary>The silo gave up, or was lost, in the middle: reset, so that the client does not take what it has for the whole.</summary>
    Reset,

    /// <summary>The client is gone.</summary>
    ClientGone,
}

/// <summary>
/// The data phase of one connection on a link: whole records both ways, as they are. Two pumps that don't know of each other
/// (<see cref="ClientUpstream"/>, <see cref="ClientDownstream"/>) and one end.
/// </summary>
internal sealed class DataChannel : LinkChannel
{
    private readonly ClientUpstream _upstream;
    private readonly ClientDownstream _downstream;
    private readonly TaskCompletionSource<DataOutcome> _ended = new();
    private readonly DeadlineQueue _delivery;
    private LinkedListNode<DeadlineQueue.Ticket>? _ticket;
    private int _isEnded;

    public DataChannel(ClientSocket socket, ConnectionEntry entry, TlsVersion version, DeadlineQueue delivery, GatewayMeters meters)
    {
        _delivery = delivery;
        _upstream = new ClientUpstream(this, socket.Input, entry, RecordRouter.MaxLength(ConnectionPhase.Data, version), meters);
        _downstream = new ClientDownstream(this, socket.Output, entry, meters);
    }

    /// <summary>Runs the data phase to its end; when it returns, nobody uses the client's pipes any more. Call once the channel is open.</summary>
    public async Task<DataOutcome> RunAsync()
    {
        // The client's first request is often there already: then Attach has left with it.
        var pumping = _upstream.RunAsync();
        Link.Flush();
        var outcome = await _ended.Task;
        _delivery.Leave(_ticket);
        _downstream.Close();
        _upstream.Stop();
        await pumping;
        return outcome;
    }

    /// <summary>The client is gone, or the gateway wants it to be: tells the silo and ends. From any thread.</summary>
    public void Abandon(DataOutcome outcome)
    {
        if (!TryEnd())
            return;

        Send(FrameKind.Close, [(byte)CloseReason.ClientGone]);
        Release();

        // The caller may be in the middle of a call into a pipe that the end of the connection completes.
        ThreadPool.UnsafeQueueUserWorkItem(_ => _ended.SetResult(outcome), null);
    }

    /// <summary>The silo's last record is with the kernel.</summary>
    public void OnDelivered()
    {
        if (TryEnd())
            _ended.SetResult(DataOutcome.Done);
    }

    /// <summary>The pump from the client asks for a turn.</summary>
    public void RequestUpstreamTurn() => RequestTurn();

    /// <summary>The client will send nothing more.</summary>
    public void SendEof() => Send(FrameKind.Eof, []);

    /// <summary>Records have left for the client.</summary>
    public void OnFlushed(int bytes) => ReturnCredit(bytes);

    /// <inheritdoc/>
    protected override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Records:
                _downstream.Write(payload);
                break;
            case FrameKind.Attached or FrameKind.Checkpoint or FrameKind.Rekeyed or FrameKind.ResponseNote:
                break;
            case FrameKind.Close:
                OnClose(payload.IsEmpty ? CloseReason.Aborted : (CloseReason)payload[0]);
                break;
            default:
                throw new LinkException($"A frame of kind {kind} in the data phase.");
        }
    }

    /// <inheritdoc/>
    protected override void OnBatchEnd() => _downstream.Flush();

    /// <inheritdoc/>
    protected override void OnLinkLost(Exception reason)
    {
        if (TryEnd())
            _ended.SetResult(DataOutcome.Reset);
    }

    /// <inheritdoc/>
    protected override int Fill(Span<byte> room) => _upstream.Fill(room);

    private void OnClose(CloseReason reason)
    {
        Release();
        if (reason is CloseReason.Done or CloseReason.ProtocolError)
        {
            // A client that does not take the last bytes is not waited for.
            _ticket = _delivery.Enter(() => Abandon(DataOutcome.Reset));
            _downstream.Finish();
        }
        else if (TryEnd())
        {
            _ended.SetResult(DataOutcome.Reset);
        }
    }

    private bool TryEnd() => Interlocked.Exchange(ref _isEnded, 1) == 0;
}
