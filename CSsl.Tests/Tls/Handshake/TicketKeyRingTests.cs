using CSsl.Tls.Handshake;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Handshake;

public sealed class TicketKeyRingTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Rotation = TimeSpan.FromHours(12);
    private static readonly TimeSpan Lead = TimeSpan.FromMinutes(2);

    [Fact]
    public void First_key_is_issued_under_until_its_successor_was_known_for_the_lead_time()
    {
        using var ring = NewRing();
        Assert.Equal(2, ring.Keys.Count);
        Assert.Equal(1, ring.IssuingAt(Now));
        Assert.Equal(1, ring.IssuingAt(Now + Lead - TimeSpan.FromTicks(1)));
        Assert.Equal(0, ring.IssuingAt(Now + Lead));
        Assert.False(ring.Keys[0].Bytes.SequenceEqual(ring.Keys[1].Bytes));
    }

    [Fact]
    public void Nothing_is_rotated_before_the_newest_key_is_due()
    {
        using var ring = NewRing();
        Assert.Null(ring.Rotate(Now, Rotation, Lead));
        Assert.Null(ring.Rotate(Now + Rotation - TimeSpan.FromTicks(1), Rotation, Lead));
        using var next = ring.Rotate(Now + Rotation, Rotation, Lead);
        Assert.NotNull(next);
        Assert.Equal(Now + Rotation + Lead, next.Keys[0].IssueFrom);
    }

    [Fact]
    public void Every_key_is_issued_under_for_one_rotation_and_opens_for_two_more()
    {
        var now = Now;
        var ring = NewRing();
        var issuing = new Dictionary<string, int>();
        var opening = new Dictionary<string, int>();
        for (var minute = 0; minute < 12 * 60 * 8; minute++, now += TimeSpan.FromMinutes(1))
        {
            if (ring.Rotate(now, Rotation, Lead) is { } next)
            {
                ring.Dispose();
                ring = next;
            }

            var index = ring.IssuingAt(now);
            Count(issuing, ring.Keys[index]);
            foreach (var key in ring.Keys.Take(index + 1 + TicketKeyRing.OldKeys))
                Count(opening, key);
        }

        ring.Dispose();
        // In the middle of the time that was looked at, where nothing is cut off.
        foreach (var key in issuing.Keys.Skip(2).Take(3))
        {
            Assert.Equal(Rotation.TotalMinutes, issuing[key]);
            Assert.Equal((3 * Rotation + Lead).TotalMinutes, opening[key]);
        }

        static void Count(Dictionary<string, int> counts, TicketKey key) => counts[Convert.ToHexString(key.Bytes)] = counts.GetValueOrDefault(Convert.ToHexString(key.Bytes)) + 1;
    }

    [Fact]
    public void A_cluster_that_slept_rotates_at_once_and_still_tells_every_silo_first()
    {
        using var ring = NewRing();
        var later = Now + TimeSpan.FromDays(30);
        using var next = ring.Rotate(later, Rotation, Lead)!;
        Assert.Equal(1, next.IssuingAt(later));
        Assert.Equal(0, next.IssuingAt(later + Lead));
        Assert.Null(next.Rotate(later, Rotation, Lead));
    }

    [Fact]
    public void Ring_comes_back_as_it_went()
    {
        using var ring = NewRing();
        using var encoded = ring.Encode();
        using var decoded = TicketKeyRing.Decode(encoded.Span);
        using var again = decoded.Encode();
        Assert.Equal(encoded.Span, again.Span);
    }

    [Fact]
    public void What_is_no_ring_is_refused()
    {
        using var ring = NewRing();
        using var encoded = ring.Encode();
        var bytes = encoded.Span.ToArray();
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<FormatException>(() => TicketKeyRing.Decode(bytes.AsSpan(0, length)));
        Assert.Throws<FormatException>(() => TicketKeyRing.Decode([.. bytes, 0]));
        Assert.Throws<FormatException>(() => TicketKeyRing.Decode([1, .. bytes[1..]]));
        Assert.Throws<FormatException>(() => TicketKeyRing.Decode([.. bytes[..2], 0xFF, .. bytes[3..]]));
        Prop.ForAll<byte[]>(static noise => { Assert.Throws<FormatException>(() => TicketKeyRing.Decode(noise)); }).QuickCheckThrowOnFailure();
    }

    private static TicketKeyRing NewRing() => TicketKeyRing.Start(Now, Lead);
}
