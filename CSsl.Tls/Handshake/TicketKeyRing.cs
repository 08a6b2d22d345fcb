using System.Buffers.Binary;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake;

/// <summary>
/// The ticket keys of a cluster at one time, newest first: perhaps one that is not issued under yet, the one that is, and the old ones whose
/// tickets still open. Immutable; the keys are wiped on dispose.
/// </summary>
/// <remarks>
/// A key is in the ring for a lead time before anybody issues under it, so that by then every silo opens its tickets:
/// <code>
///            lead           rotation
///  key 3   · · · ·|================|················|················|        · opens   = issues and opens
///  key 2   =======|················|················|
/// </code>
/// The binary form is secret: version (1) | count (1) | for each key: issue from, Unix milliseconds (8) | <see cref="TicketKey"/> (80).
/// </remarks>
public sealed class TicketKeyRing : IDisposable
{
    /// <summary>Keys that were issued under before the current one and whose tickets still open.</summary>
    public const int OldKeys = 2;

    private const byte Version = 1;
    private const int MaxKeys = 1 + 1 + OldKeys;
    private const int EncodedKeyLength = 8 + TicketKey.Length;

    private readonly TicketKey[] _keys;

    private TicketKeyRing(TicketKey[] keys) => _keys = keys;

    /// <summary>Newest first; at least one.</summary>
    public IReadOnlyList<TicketKey> Keys => _keys;

    /// <summary>The first ring: <paramref name="first"/> is issued under, and its successor soon.</summary>
    /// <param name="first">What silos issue under without a ring; takes ownership.</param>
    /// <param name="now">The time.</param>
    /// <param name="lead">See <see cref="Rotate"/>.</param>
    public static TicketKeyRing Start(SecretBytes first, DateTimeOffset now, TimeSpan lead)
        => new([TicketKey.Generate(now + lead), new TicketKey(first, now)]);

    /// <summary>The ring with a new key, when the newest has been issued under for long enough; null while nothing is due.</summary>
    /// <param name="now">The time.</param>
    /// <param name="rotation">How long one key is issued under.</param>
    /// <param name="lead">How long a key is known to the silos before any of them issues under it.</param>
    public TicketKeyRing? Rotate(DateTimeOffset now, TimeSpan rotation, TimeSpan lead)
    {
        if (now < _keys[0].IssueFrom + rotation - lead)
            return null;
        return new TicketKeyRing([TicketKey.Generate(now + lead), .. _keys.Take(MaxKeys - 1).Select(static key => key.Copy())]);
    }

    /// <summary>The index of the key that tickets are issued under; the <see cref="OldKeys"/> after it, and the one before it, open tickets only.</summary>
    public int IssuingAt(DateTimeOffset now)
    {
        var index = Array.FindIndex(_keys, key => key.IssueFrom <= now);
        return index >= 0 ? index : _keys.Length - 1;
    }

    /// <summary>The binary form, which the caller disposes.</summary>
    public SecretBytes Encode()
    {
        var encoded = new SecretBytes(2 + (_keys.Length * EncodedKeyLength));
        encoded.Span[0] = Version;
        encoded.Span[1] = (byte)_keys.Length;
        for (var i = 0; i < _keys.Length; i++)
        {
            var destination = encoded.Span.Slice(2 + (i * EncodedKeyLength), EncodedKeyLength);
            BinaryPrimitives.WriteInt64BigEndian(destination, _keys[i].IssueFrom.ToUnixTimeMilliseconds());
            _keys[i].Bytes.CopyTo(destination[8..]);
        }

        return encoded;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; <paramref name="encoded"/> stays the caller's to wipe.</summary>
    /// <exception cref="FormatException">Not a ring.</exception>
    public static TicketKeyRing Decode(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length < 2 || encoded[0] != Version || encoded[1] is 0 or > MaxKeys || encoded.Length != 2 + (encoded[1] * EncodedKeyLength))
            throw new FormatException("Not a ring of ticket keys, or one of another version.");

        var times = new DateTimeOffset[encoded[1]];
        for (var i = 0; i < times.Length; i++)
        {
            var milliseconds = BinaryPrimitives.ReadInt64BigEndian(encoded[(2 + (i * EncodedKeyLength))..]);
            if (milliseconds < 0 || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
                throw new FormatException("A ticket key with a time out of range.");
            times[i] = DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        }

        var keys = new TicketKey[times.Length];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = new TicketKey(new SecretBytes(encoded.Slice(2 + (i * EncodedKeyLength) + 8, TicketKey.Length)), times[i]);
        return new TicketKeyRing(keys);
    }

    public void Dispose()
    {
        foreach (var key in _keys)
            key.Dispose();
    }
}
