using CSsl.Cli.Origin;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Cli.Origin;

public sealed class SampleBytesTests
{
    [Fact]
    public void Any_part_is_that_part_of_the_whole()
    {
        var whole = new byte[4096];
        SampleBytes.Fill(0, whole);
        Prop.ForAll<NonNegativeInt, NonNegativeInt>((offset, length) =>
        {
            var from = offset.Get % 2048;
            var part = new byte[length.Get % 2048];
            SampleBytes.Fill(from, part);
            return part.AsSpan().SequenceEqual(whole.AsSpan(from, part.Length));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Sequence_is_the_published_one()
    {
        // SplitMix64 with seed 0: the first output of the reference implementation (Vigna) is 0xE220A8397B1DCDAF.
        var first = new byte[8];
        SampleBytes.Fill(0, first);
        Assert.Equal("AFCD1D7B39A820E2", Convert.ToHexString(first));
    }

    [Fact]
    public void Offsets_beyond_four_gibibytes_work()
    {
        var (at, before) = (new byte[16], new byte[17]);
        SampleBytes.Fill(5L << 32, at);
        SampleBytes.Fill((5L << 32) - 1, before);
        Assert.Equal(at, before[1..]);
    }
}
