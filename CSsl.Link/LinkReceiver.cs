using System.Buffers.Binary;

namespace CSsl.Link;

/// <summary>The read loop: one buffer, frames handed on as spans of it. Everything here runs on one thread at a time.</summary>
/// <remarks>
/// The peer is authenticated, so what breaks the rules here is a fault in its program, and the question is whom it may hurt:
/// <list type="bullet">
/// <item>After what makes the stream of frames doubtful (length, reserved bytes, unknown kind, wrong direction, a channel number that was
/// never opened or is opened again), nothing that follows can be believed: the link ends.</item>
/// <item>What is wrong within one channel (an overrun of its credit, a payload that its OnFrame refuses) closes that channel only.</item>
/// <item>A frame for a channel that this end has released is late, not wrong: it is dropped.</item>
/// </list>
/// <para>Between processes frames come in sealed batches. One is opened where it lies when all of it is there and the frames before it are dispatched; what can't be opened
/// ends the link, and nothing of it is seen.</para>
/// <para>Records that are to be opened are gathered while the frames of a read are dispatched, and opened together by one call of the process's engine.
/// To their channel they happen in their place among its frames: a frame of another kind waits until those before it are opened.</para>
/// </remarks>
internal sealed partial class LinkReceiver(DataLink link, Stream transport, LinkCipher? cipher, LinkSender sender, ChannelTable table, ILinkAcceptor? acceptor, IRecordRunner? records)
{
    // At least twice the largest frame or batch: when less than one fits behind what is there, what is there is moved to the front.
    private const int LongestUnit = SealedBatch.MaxLength;
    private const int BufferLength = 2 * LongestUnit;

    // How many reads in a row that did not have to wait before the loop leaves its thread to others: it may be the one that watches their sockets.
    private const int ReadsPerStretch = 16;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferLength, pinned: true);

    // What a record holds, at the place that the record has in the other buffer.
    private readonly byte[] _plaintext = records is null ? [] : GC.AllocateUninitializedArray<byte>(BufferLength, pinned: true);
    private readonly OpeningBatch _opening = new();
    private readonly List<LinkChannel> _inBatch = [];
    private readonly LinkEnd _peer = acceptor is null ? LinkEnd.Silo : LinkEnd.Gateway;
    private int _start;
    private int _end;

    // Where the frames that can be read end: those of the batch that is open, or, within a process, all that is there.
    private int _framesEnd;
    private bool _reading;
    private LinkException? _broken;
    private long _receives;
    private long _frames;
    private long _bytes;

    /// <summary>Reads that brought bytes.</summary>
    public long Receives => Volatile.Read(ref _receives);

    /// <summary>True while this end waits for the peer; false while it has work in hand itself.</summary>
    public bool IsReading => Volatile.Read(ref _reading);

    public LinkCounters Counters => new(0, Receives, 0, Volatile.Read(ref _frames), 0, 0, Volatile.Read(ref _bytes));

    /// <summary>Reads until the link ends. Does not throw.</summary>
    public async Task<LinkException> RunAsync()
    {
        var inARow = 0;
        try
        {
            while (true)
            {
                Volatile.Write(ref _reading, true);
                var reading = transport.ReadAsync(_buffer.AsMemory(_end));
                inARow = reading.IsCompleted ? inARow + 1 : 0;
                var read = await reading;
                Volatile.Write(ref _reading, false);
                if (read == 0)
                    return new LinkException(_start == _end ? "The peer closed the link." : "The peer closed the link in the middle of a frame.");
                _end += read;
                if (cipher is null)
                    _framesEnd = _end;
                _bytes += read;
                Volatile.Write(ref _receives, _receives + 1);
                await DispatchAsync();
                MakeRoom();
                if (inARow == ReadsPerStretch)
                {
                    inARow = 0;
                    await Task.Yield();
                }
            }
        }
        catch (LinkException e)
        {
            return e;
        }
        catch (Exception e)
        {
            return new LinkException($"Reading from the peer failed: {e.Message}", e);
        }
    }

    // Completes at once unless somebody else is at the engine.
    private async ValueTask DispatchAsync()
    {
        try
        {
            while (true)
            {
                var isAll = DispatchSome(out var isRun, out var run);
                if (!isRun)
                {
                    await run;
                    EndRun();
                }

                if (_broken is not null)
                    throw _broken;
                if (isAll)
                    return;
            }
        }
        finally
        {
            _opening.Clear();
        }
    }

    // True: all frames that are there. False: those before one that has to wait for records before it.
    private bool DispatchSome(out bool isRun, out ValueTask run)
    {
        isRun = true;
        run = default;
        sender.Cork();
        try
        {
            var isAll = DispatchFrames();
            if (_opening.Count > 0)
            {
                run = _opening.WaitAsync();
                isRun = Open();
            }

            return isAll;
        }
        finally
        {
            if (isRun)
                EndBatch();
            sender.Uncork();
        }
    }

    private bool Open() => (records ?? throw new InvalidOperationException("A channel opens records on a link that has no engine.")).TryRun(_opening);

    private void EndRun()
    {
        sender.Cork();
        try
        {
            EndBatch();
        }
        finally
        {
            sender.Uncork();
        }
    }

    // False: not all.
    private bool DispatchFrames()
    {
        try
        {
            while (TryPeekFrame(out var header))
            {
                if (_opening.Count > 0 && MustWait(header))
                    return false;
                var start = _start + FrameHeader.Size;
                PassOver(FrameHeader.Size + header.Length);
                Dispatch(header, start);
            }
        }
        catch (LinkException e)
        {
            // What came before it is still opened and delivered.
            _broken = e;
        }

        return true;
    }

    private bool MustWait(FrameHeader header)
        => _opening.Count >= RecordBatch.UsualRecords
            || (header.Kind is not (FrameKind.Records or FrameKind.Window) && header.Channel != 0 && table.Find(header.Channel) is { IsOpening: true });

    private bool TryPeekFrame(out FrameHeader header)
    {
        if (cipher is null || _start < _framesEnd || TryOpenBatch(cipher))
        {
            ReadOnlySpan<byte> unread = _buffer.AsSpan(_start, _framesEnd - _start);
            header = unread.Length < FrameHeader.Size ? default : FrameHeader.Read(unread, LinkChannel.MaxPayload);
            if (unread.Length >= FrameHeader.Size + header.Length)
                return true;
            if (cipher is not null)
                throw new LinkException("The peer sent a frame that is cut at the end of its batch.");
        }

        header = default;
        return false;
    }

    // All frames of the batch before have been dispatched.
    private bool TryOpenBatch(LinkCipher opening)
    {
        ReadOnlySpan<byte> unread = _buffer.AsSpan(_start, _end - _start);
        if (unread.Length < SealedBatch.HeaderLength)
            return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(unread);
        if (length is 0 or > SealedBatch.MaxFrames)
            throw new LinkException($"The peer sent a batch of {length} bytes of frames; there are 1 to {SealedBatch.MaxFrames}.");
        if (unread.Length < SealedBatch.Overhead + (int)length)
            return false;
        if (!opening.Run(_buffer.AsSpan(_start, SealedBatch.Overhead + (int)length)))
            throw new LinkException("The peer sent a batch that is not authentic: something on the way changed, repeated or left out bytes.");
        _start += SealedBatch.HeaderLength;
        _framesEnd = _start + (int)length;
        return true;
    }

    // A batch is passed over with its tag when its last frame is.
    private void PassOver(int frame)
    {
        _start += frame;
        if (cipher is not null && _start == _framesEnd)
            _start = _framesEnd = _framesEnd + SealedBatch.TagLength;
    }

    // Room for the rest of the longest frame or batch, at least. No batch is open.
    private void MakeRoom()
    {
        if (_start > 0 && (_start == _end || BufferLength - _start < LongestUnit))
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end, _framesEnd) = (0, _end - _start, _framesEnd - _start);
        }
    }

    private void Dispatch(FrameHeader header, int start)
    {
        ReadOnlySpan<byte> payload = _buffer.AsSpan(start, header.Length);
        _frames++;
        if ((FrameRules.SentBy(header.Kind) & _peer) == 0 || FrameRules.IsOfLink(header.Kind) != (header.Channel == 0))
            throw new LinkException($"The peer sent a frame of kind {(byte)header.Kind} on channel {header.Channel}, where it does not belong.");
        if (header.Channel == 0)
        {
            link.OnLinkFrame(header.Kind, payload);
            return;
        }

        if (FrameRules.Opens(header.Kind))
            Open(header);
        var channel = table.Find(header.Channel);
        if (channel is null)
        {
            if (!table.WasOpened(header.Channel))
                throw new LinkException($"The peer sent a frame of kind {(byte)header.Kind} on channel {header.Channel}, which was never opened.");
            return;
        }

        if (header.Kind == FrameKind.Window)
            OnWindow(channel, payload);
        else
            Deliver(channel, header, start);
    }

    private void Open(FrameHeader header)
    {
        if (table.WasOpened(header.Channel))
            throw new LinkException($"The peer opened channel {header.Channel} twice, or out of order.");
        try
        {
            // The table takes it: it is closed only after this loop has ended.
            if (acceptor!.Accept(link, header.Kind) is { } channel && table.TryAdd(channel, header.Channel))
                return;
        }
        catch (Exception e)
        {
            link.LogRefusal(header.Channel, e);
        }

        table.Skip(header.Channel);
        sender.Send(FrameKind.Close, header.Channel, [(byte)CloseReason.Refused]);
    }

    private void OnWindow(LinkChannel channel, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != sizeof(uint) || !sender.AddCredit(channel, BinaryPrimitives.ReadUInt32LittleEndian(payload), link.PeerCredit))
            link.Fault(channel, new LinkException("The peer gave back more credit than it had taken."));
    }

    private void Deliver(LinkChannel channel, FrameHeader header, int start)
    {
        ReadOnlySpan<byte> payload = _buffer.AsSpan(start, header.Length);
        if (header.Kind == FrameKind.Records && (payload.IsEmpty || !channel.Received.TryTake(payload.Length)))
        {
            link.Fault(channel, new LinkException($"The peer sent {payload.Length} bytes of records that it had no credit for."));
            return;
        }

        if (!channel.TryEnter())
            return;
        try
        {
            if (!channel.InBatch)
            {
                channel.InBatch = true;
                _inBatch.Add(channel);
            }

            if (header.Kind == FrameKind.Records)
            {
                var before = _opening.Count;
                channel.OnRecords(payload, _plaintext.AsSpan(records is null ? 0 : start, records is null ? 0 : payload.Length), _opening);
                channel.IsOpening |= _opening.Count > before;
            }
            else
            {
                channel.OnFrame(header.Kind, payload);
            }
        }
        catch (Exception e)
        {
            link.Fault(channel, e);
        }
        finally
        {
            channel.Leave();
        }
    }

    private void EndBatch()
    {
        for (var i = 0; i < _opening.Count; i++)
            Opened(_opening.Owner(i), i);
        _opening.Clear();
        foreach (var channel in _inBatch)
        {
            channel.InBatch = channel.IsOpening = false;
            if (!channel.TryEnter())
                continue;
            try
            {
                channel.OnBatchEnd();
            }
            catch (Exception e)
            {
                link.Fault(channel, e);
            }
            finally
            {
                channel.Leave();
            }
        }

        _inBatch.Clear();
    }

    private void Opened(LinkChannel channel, int index)
    {
        if (!channel.TryEnter())
            return;
        try
        {
            channel.OnOpened(ref _opening.Jobs[index]);
        }
        catch (Exception e)
        {
            link.Fault(channel, e);
        }
        finally
        {
            channel.Leave();
        }
    }
}
