namespace CSsl.Link;

/// <summary>
/// Makes OnLinkLost the last call that a channel gets, though its frames come on one thread and its turns on another:
/// callers are counted, and when the channel is lost, the last one out tells it.
/// </summary>
internal struct ChannelLife
{
    private const int Lost = 1 << 30;

    // Callers inside, plus Lost.
    private int _state;
    private int _told;
    private LinkException? _reason;

    public bool TryEnter(LinkChannel channel)
    {
        if ((Interlocked.Increment(ref _state) & Lost) == 0)
            return true;
        Leave(channel);
        return false;
    }

    public void Leave(LinkChannel channel)
    {
        if (Interlocked.Decrement(ref _state) == Lost)
            Tell(channel);
    }

    /// <summary>Only the caller that took the channel out of the table gets here: once.</summary>
    public void Lose(LinkChannel channel, LinkException reason)
    {
        _reason = reason;
        if (Interlocked.Or(ref _state, Lost) == 0)
            Tell(channel);
    }

    // A late TryEnter counts up and down again and gets here once more.
    private void Tell(LinkChannel channel)
    {
        if (Interlocked.Exchange(ref _told, 1) == 0)
            channel.Link.Tell(channel, _reason!);
    }
}
