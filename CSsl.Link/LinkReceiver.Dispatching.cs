using System.Buffers.Binary;

namespace CSsl.Link;

/// <content>What becomes of one frame, and of the records of a batch.</content>
internal sealed partial class LinkReceiver
{
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

        if (FrameRules.Opens(header.Kind)) Open(header);
        LinkChannel? channel = table.Find(header.Channel);
        if (channel is null)
        {
            if (!table.WasOpened(header.Channel)) throw new LinkException($"The peer sent a frame of kind {(byte)header.Kind} on channel {header.Channel}, which was never opened.");
            return;
        }

        if (header.Kind == FrameKind.Window) OnWindow(channel, payload);
        else Deliver(channel, header, start);
    }

    private void Open(FrameHeader header)
    {
        if (table.WasOpened(header.Channel)) throw new LinkException($"The peer opened channel {header.Channel} twice, or out of order.");
        try
        {
            // The table takes it: it is closed only after this loop has ended.
            if (acceptor!.Accept(link, header.Kind) is { } channel && table.TryAdd(channel, header.Channel)) return;
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

        if (!channel.TryEnter()) return;
        try
        {
            if (!channel.InBatch)
            {
                channel.InBatch = true;
                _inBatch.Add(channel);
            }

            if (header.Kind == FrameKind.Records)
            {
                int before = _opening.Count;
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
        for (int i = 0; i < _opening.Count; i++) Opened(_opening.Owner(i), i);
        _opening.Clear();
        foreach (LinkChannel channel in _inBatch)
        {
            channel.InBatch = channel.IsOpening = false;
            if (!channel.TryEnter()) continue;
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
        if (!channel.TryEnter()) return;
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
