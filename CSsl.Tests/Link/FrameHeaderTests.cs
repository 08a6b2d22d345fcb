using CSsl.Link;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Link;

public class FrameHeaderTests
{
    [Fact]
    public void Header_reads_back_what_was_written()
        => Prop.ForAll(
            Gen.Choose(0, LinkChannel.MaxPayload).ToArbitrary(),
            ArbMap.Default.ArbFor<uint>(),
            ArbMap.Default.ArbFor<byte>(),
            (length, channel, kind) =>
            {
                var header = new FrameHeader(length, channel, (FrameKind)kind);
                var bytes = new byte[FrameHeader.Size];
                header.Write(bytes);
                return FrameHeader.Read(bytes, LinkChannel.MaxPayload) == header;
            }).QuickCheckThrowOnFailure();

    [Fact]
    public void Header_is_laid_out_as_the_drawing_says()
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader(0x010203, 0xA1B2C3D4, FrameKind.Records).Write(bytes);

        Assert.Equal("03020100D4C3B2A122000000", Convert.ToHexString(bytes));
    }

    [Theory]
    [InlineData(1, LinkChannel.MaxPayload + 1)]
    [InlineData(1, int.MaxValue)]
    public void Header_is_refused_when_the_payload_is_too_long(uint channel, int length)
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader(length, channel, FrameKind.Records).Write(bytes);

        Assert.Throws<LinkException>(() => FrameHeader.Read(bytes, LinkChannel.MaxPayload));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    public void Header_is_refused_when_a_reserved_byte_is_set(int at)
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader(1, 1, FrameKind.Records).Write(bytes);
        bytes[at] = 1;

        Assert.Throws<LinkException>(() => FrameHeader.Read(bytes, LinkChannel.MaxPayload));
    }

    [Fact]
    public void Every_kind_is_sent_by_an_end_and_no_other_number_is()
    {
        for (var number = 0; number <= byte.MaxValue; number++)
            Assert.Equal(Enum.IsDefined((FrameKind)number), FrameRules.SentBy((FrameKind)number) != LinkEnd.Neither);
    }
}
