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
/// The binary form is secret: version (1) | count (1) | for each key: issue from, Unix milliseconds (8) | <see cref="TicketKey"/> (112). Big-endian.
/// </remarks>
public sealed class TicketKeyRing : IDisposable
{
    /// <summary>Keys that were issued under before the current one and whose tickets still open.</summary>
    public const int OldKeys = 2;

    /// <summary>What rings are sealed as.</summary>
    public static SealingPurpose Purpose { get; } = new("c-ssl ticket key ring 2", MaxEncodedLength);

    private const byte Version = 2;
    /// <summary>The most keys of a ring.</summary>
    internal const int MaxKeys = 1 + 1 + OldKeys;
    private const int EncodedKeyLength = 8 + TicketKey.Length;
    private const int MaxEncodedLength = 2 + (MaxKeys * EncodedKeyLength);

    private readonly TicketKey[] _keys;

    private TicketKeyRing(TicketKey[] keys) => _keys = keys;

    /// <summary>Newest first; at least one.</summary>
    public IReadOnlyList<TicketKey> Keys => _keys;

    /// <summary>The first ring: a random key that is issued under, and its successor soon.</summary>
    /// <param name="now">The time.</param>
    /// <param name="lead">See <see cref="Rotate"/>.</param>
    public static TicketKeyRing Start(DateTimeOffset now, TimeSpan lead) => new([TicketKey.Generate(now + lead), TicketKey.Generate(now)]);

    /// <summary>The same keys once more.</summary>
    public TicketKeyRing Copy() => new([.. _keys.Select(static key => key.Copy())]);

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
        var writer = new WireWriter(encoded.Span);
        writer.U8(Version);
        writer.U8((byte)_keys.Length);
        foreach (var key in _keys)
        {
            writer.U64((ulong)key.IssueFrom.ToUnixTimeMilliseconds());
            writer.Bytes(key.Bytes);
        }

        return encoded;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; <paramref name="encoded"/> stays the caller's to wipe.</summary>
    /// <exception cref="FormatException">Not a ring.</exception>
    public static TicketKeyRing Decode(ReadOnlySpan<byte> encoded)
    {
        var reader = new WireReader(encoded);
        if (reader.U8() != Version)
            reader.Fail("is of another version");
        var count = reader.U8();
        if (count is 0 or > MaxKeys)
            reader.Fail("has no keys, or too many");
        var keys = new List<TicketKey>(MaxKeys);
        for (var i = 0; i < count && reader.Fault is null; i++)
        {
            var issueFrom = reader.U64();
            if (issueFrom > (ulong)DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
                reader.Fail("has a key with a time out of range");
            var bytes = reader.Bytes(TicketKey.Length);
            if (reader.Fault is null)
                keys.Add(new TicketKey(new SecretBytes(bytes), DateTimeOffset.FromUnixTimeMilliseconds((long)issueFrom)));
        }

        reader.End();
        if (reader.Fault is not { } fault)
            return new TicketKeyRing([.. keys]);
        keys.ForEach(static key => key.Dispose());
        throw new FormatException($"A ring of ticket keys {fault}.");
    }

    public void Dispose()
    {
        foreach (var key in _keys)
            key.Dispose();
    }
}
