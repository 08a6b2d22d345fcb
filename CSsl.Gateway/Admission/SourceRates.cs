using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace CSsl.Gateway.Admission;

/// <summary>
/// How fast each source opens connections: a token bucket per IPv4 address, or per /64 of IPv6, which is what one customer gets. The table has a
/// fixed size; where many sources meet in one place, the one that has been quiet for longest is forgotten, which does it no harm: it would
/// have a full bucket anyway. Thread-safe.
/// </summary>
/// <param name="rate">Connections per second; 0: no limit.</param>
/// <param name="burst">How many may come at once.</param>
/// <param name="time">The clock.</param>
internal sealed class SourceRates(double rate, int burst, TimeProvider time)
{
    /// <summary>Sources that the table knows at once (1.5 MB).</summary>
    public const int Capacity = Sets * Ways;

    private const int Sets = 8192;
    private const int Ways = 8;
    private const int Stripes = 64;

    // An attacker who could tell which sources meet would drive a victim's bucket out.
    private readonly ulong _seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly Lock[] _gates = [.. Enumerable.Range(0, Stripes).Select(static _ => new Lock())];
    private readonly Bucket[] _buckets = rate > 0 ? new Bucket[Capacity] : [];

    /// <summary>Counts a connection; false: the source is too fast.</summary>
    public bool TryTake(IPAddress source)
    {
        if (rate <= 0)
            return true;

        var key = KeyOf(source);
        var set = (int)(Mix(key ^ _seed) % Sets);
        var now = time.GetTimestamp() | 1; // 0 marks a bucket that nobody has
        lock (_gates[set % Stripes])
        {
            ref var bucket = ref Find(_buckets.AsSpan(set * Ways, Ways), key, now);
            bucket.Tokens = TokensOf(bucket, now);
            bucket.At = now;
            if (bucket.Tokens < 1)
                return false;
            bucket.Tokens--;
            return true;
        }
    }

    /// <summary>The source's own bucket, or that of the quietest source, emptied for this one.</summary>
    private ref Bucket Find(Span<Bucket> set, ulong key, long now)
    {
        var quietest = 0;
        for (var i = 0; i < set.Length; i++)
        {
            if (set[i].At != 0 && set[i].Key == key)
                return ref set[i];
            if (TokensOf(set[i], now) > TokensOf(set[quietest], now))
                quietest = i;
        }

        set[quietest] = new Bucket { Key = key, Tokens = burst, At = now };
        return ref set[quietest];
    }

    // A bucket that nobody has is the fullest of all.
    private double TokensOf(in Bucket bucket, long now)
        => bucket.At == 0 ? double.MaxValue : Math.Min(burst, bucket.Tokens + (time.GetElapsedTime(bucket.At, now).TotalSeconds * rate));

    private static ulong KeyOf(IPAddress source)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (source.IsIPv4MappedToIPv6)
            source = source.MapToIPv4();
        source.TryWriteBytes(bytes, out var length);

        // The upper half marks IPv4: no /64 of the global unicast space begins like that.
        return source.AddressFamily == AddressFamily.InterNetwork && length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt64BigEndian(bytes) | (1UL << 63);
    }

    // The finalizer of MurmurHash3.
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
        value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
        return value ^ (value >> 33);
    }

    private struct Bucket
    {
        public ulong Key;
        public double Tokens;
        public long At;
    }
}
