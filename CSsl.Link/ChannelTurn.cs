namespace CSsl.Link;

/// <summary>What the sender knows of a channel. Guarded by the sender's gate.</summary>
internal struct ChannelTurn
{
    /// <summary>Bytes of records that the peer takes. A turn may overshoot it by less than one record: then it is negative.</summary>
    public int Credit;

    /// <summary>A turn was asked for and not yet given.</summary>
    public bool Wanted;

    /// <summary>In the queue of ready channels. Between two uses of the gate: Wanted, credit and not Over imply Queued.</summary>
    public bool Queued;

    /// <summary>Nothing more is sent: a frame that ends the channel was, or it was released.</summary>
    public bool Over;

    /// <summary>The batch that was being gathered when a frame of the channel was last queued (a Window frame has no place to keep).</summary>
    public long LastSend;

    /// <summary>The next in the queue of ready channels.</summary>
    public LinkChannel? Next;
}

/// <summary>The ready channels, in the order of their asking. Links go through the channels: queueing allocates nothing.</summary>
internal struct ReadyQueue
{
    private LinkChannel? _head;
    private LinkChannel? _tail;

    public int Count { get; private set; }

    public void Enqueue(LinkChannel channel)
    {
        if (_tail is null)
            _head = channel;
        else
            _tail.Turn.Next = channel;
        _tail = channel;
        Count++;
    }

    public LinkChannel Dequeue()
    {
        var channel = _head!;
        _head = channel.Turn.Next;
        if (_head is null)
            _tail = null;
        channel.Turn.Next = null;
        Count--;
        return channel;
    }
}
