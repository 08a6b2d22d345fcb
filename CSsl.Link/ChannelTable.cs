using System.Collections.Concurrent;

namespace CSsl.Link;

/// <summary>The channels of a link by number. Whoever takes a channel out decides how it ends: released, or lost.</summary>
internal sealed class ChannelTable(DataLink link, int sendCredit, int receiveCredit)
{
    private readonly ConcurrentDictionary<uint, LinkChannel> _channels = new();
    private readonly Lock _adding = new();
    private uint _highest;
    private bool _closed;

    public int Count => _channels.Count;

    /// <summary>True once a channel of this number was opened, whether it still is or not: numbers only grow.</summary>
    public bool WasOpened(uint id) => id <= Volatile.Read(ref _highest);

    /// <summary>The gateway's end: gives the channel the next number.</summary>
    /// <returns>False when the link is over, or has used all its numbers.</returns>
    public bool TryAdd(LinkChannel channel)
    {
        lock (_adding)
            return _highest < uint.MaxValue && TryAdd(channel, _highest + 1);
    }

    /// <summary>The silo's end: the gateway chose the number, above all earlier ones.</summary>
    /// <returns>False when the link is over.</returns>
    public bool TryAdd(LinkChannel channel, uint id)
    {
        lock (_adding)
        {
            if (_closed)
                return false;
            channel.Join(link, id, sendCredit, receiveCredit);
            _channels[id] = channel;
            Volatile.Write(ref _highest, id);
            return true;
        }
    }

    /// <summary>The silo's end: a number whose channel was refused.</summary>
    public void Skip(uint id)
    {
        lock (_adding)
            Volatile.Write(ref _highest, id);
    }

    public LinkChannel? Find(uint id) => _channels.TryGetValue(id, out LinkChannel? channel) ? channel : null;

    /// <summary>True for the one caller that took it out.</summary>
    public bool Remove(LinkChannel channel) => _channels.TryRemove(new(channel.Id, channel));

    /// <summary>No channel can be added after this. Returns those that are left, for the caller to take out one by one.</summary>
    public ICollection<LinkChannel> Close()
    {
        lock (_adding)
            _closed = true;
        return _channels.Values;
    }
}
