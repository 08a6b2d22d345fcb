using System.Buffers;
using CSsl.Gateway.Records;
using CSsl.Tests.Tls.Handshake;
using CSsl.Tls;
using CSsl.Tls.Records;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Gateway.Records;

/// <summary>Whole records at the start of a client's bytes, however they are cut.</summary>
public sealed class RecordRunTests
{
    private static readonly Gen<int[]> Lengths = from count in Gen.Choose(0, 12) from lengths in Gen.Choose(1, 600).ArrayOf(count) select lengths;

    [Fact]
    public void Run_is_the_whole_records_and_nothing_of_the_next()
        => Prop.ForAll(Arb.From(Lengths), Arb.From(Gen.Choose(0, 604)), Arb.From(Gen.Choose(1, 50)), (lengths, tail, segment) =>
        {
            byte[] whole = [.. lengths.SelectMany(length => Walk.Record(23, length))];
            byte[] bytes = [.. whole, .. Walk.Record(23, 600)[..tail]];
            var run = RecordRun.Find(Segments.Of(bytes, segment), ConnectionPhase.Data, RecordHeader.MaxCiphertext13);
            Assert.Equal(new RecordRun(whole.Length, lengths.Length, RecordStatus.NeedMore), run);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Limits_of_the_caller_end_a_run_between_records()
        => Prop.ForAll(Arb.From(Lengths), Arb.From(Gen.Choose(0, 3000)), Arb.From(Gen.Choose(0, 12)), (lengths, maxBytes, maxCount) =>
        {
            var bytes = new ReadOnlySequence<byte>([.. lengths.SelectMany(length => Walk.Record(23, length))]);
            var run = RecordRun.Find(bytes, ConnectionPhase.Data, RecordHeader.MaxCiphertext13, maxBytes, maxCount);
            var taken = 0;
            var expected = lengths.Take(maxCount).TakeWhile(length => (taken += 5 + length) <= maxBytes).ToList();
            Assert.Equal((expected.Sum(length => 5 + length), expected.Count), (run.Bytes, run.Count));
            Assert.Equal(expected.Count < lengths.Length ? RecordStatus.Complete : RecordStatus.NeedMore, run.Next);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(new byte[] { 0x50, 3, 3, 0, 1, 0 }, RecordStatus.NotTls)]
    [InlineData(new byte[] { 23, 2, 3, 0, 1, 0 }, RecordStatus.BadVersion)]
    [InlineData(new byte[] { 23, 3, 3, 0x50, 0 }, RecordStatus.Overflow)]
    [InlineData(new byte[] { 22, 3, 3, 0, 0 }, RecordStatus.Empty)]
    public void Run_ends_before_what_is_no_record_and_says_why(byte[] bad, RecordStatus status)
    {
        var good = Walk.Record(23, 40);
        for (var segment = 1; segment < 8; segment++)
            Assert.Equal(new RecordRun(good.Length, 1, status), RecordRun.Find(Segments.Of((byte[])[.. good, .. bad], segment), ConnectionPhase.Data, RecordHeader.MaxCiphertext13));
    }

    [Fact]
    public void Run_ends_before_a_record_that_nobody_gets()
    {
        byte[] records = [.. Walk.Record(22, 40), .. Walk.Record(23, 40)];
        var run = RecordRun.Find(new ReadOnlySequence<byte>(records), ConnectionPhase.Hello, RecordHeader.MaxPlaintext);
        Assert.Equal(new RecordRun(45, 1, RecordStatus.Complete, AlertDescription.UnexpectedMessage), run);
    }

    [Fact]
    public void Records_of_a_silo_are_counted_and_a_torn_one_is_noticed()
    {
        byte[] two = [.. Walk.Record(23, 40), .. Walk.Record(21, 2)];
        Assert.Equal(2, RecordRun.CountWhole(two));
        Assert.Equal(0, RecordRun.CountWhole([]));
        Assert.Equal(-1, RecordRun.CountWhole(two.AsSpan(0, two.Length - 1)));
    }
}
