using System.Text;
using CSsl.Tls;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls;

public sealed class WireCodecTests
{
    [Theory]
    [InlineData(false, "01 0203 04050607 08090A0B0C0D0E0F")]
    [InlineData(true, "01 0302 07060504 0F0E0D0C0B0A0908")]
    public void Numbers_are_in_the_order_that_was_asked_for(bool isLittleEndian, string expected)
    {
        var writer = new WireWriter(new byte[32], isLittleEndian);
        writer.U8(1);
        writer.U16(0x0203);
        writer.U32(0x04050607);
        writer.U64(0x08090A0B0C0D0E0F);
        Assert.Equal(expected.Replace(" ", "", StringComparison.Ordinal), Convert.ToHexString(writer.Written));
    }

    [Fact]
    public void Fields_come_back_as_they_went_and_never_from_a_part()
        => Prop.ForAll(ArbMap.Default.ArbFor<(ulong Number, byte[] Bytes, Guid Id)>(), static given =>
        {
            var bytes = given.Bytes.AsSpan(0, Math.Min(given.Bytes.Length, 255));
            var text = Convert.ToHexString(bytes[..Math.Min(bytes.Length, 100)]);
            var buffer = new byte[1024];
            var isLittleEndian = given.Number % 2 == 0;
            var writer = new WireWriter(buffer, isLittleEndian);
            writer.U64(given.Number);
            writer.U128(new UInt128(given.Number, 7));
            writer.Guid(given.Id);
            writer.Flag(isLittleEndian);
            writer.Vector8(bytes);
            writer.Vector16(bytes);
            writer.Text(text);
            var written = writer.Written;

            var reader = new WireReader(written, isLittleEndian);
            var same = reader.U64() == given.Number && reader.U128() == new UInt128(given.Number, 7) && reader.Guid() == given.Id && reader.Flag() == isLittleEndian
                && reader.Vector8().SequenceEqual(bytes) && reader.Vector16().SequenceEqual(bytes) && (reader.Text() ?? "") == text;
            reader.End();
            for (var length = 0; length < written.Length; length++)
            {
                var part = new WireReader(written[..length], isLittleEndian);
                part.U64();
                part.U128();
                part.Guid();
                part.Flag();
                part.Vector8();
                part.Vector16();
                part.Text();
                same &= part is { Fault: "is cut short", IsEmpty: true };
            }

            return same && reader.Fault is null;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void First_fault_sticks_and_nothing_is_read_behind_it()
    {
        var reader = new WireReader([2, 1, 2, 3]);
        Assert.False(reader.Flag());
        Assert.Equal(0, reader.U8());
        Assert.True(reader.Rest().IsEmpty);
        reader.Fail("is late");
        Assert.Equal("has a flag that is neither 0 nor 1", reader.Fault);
    }

    [Fact]
    public void Text_that_is_not_utf8_and_bytes_after_the_end_are_faults()
    {
        var text = new WireReader([2, 0xC3, 0x28]);
        Assert.Null(text.Text());
        Assert.Equal("has text that is not UTF-8", text.Fault);

        var rest = new WireReader([1, 2]);
        rest.U8();
        rest.End();
        Assert.Equal("has bytes after its end", rest.Fault);

        var negative = new WireReader([1, 2]);
        Assert.True(negative.Bytes(-1).IsEmpty);
        Assert.NotNull(negative.Fault);
    }

    [Fact]
    public void What_does_not_fit_is_not_written()
    {
        Assert.Throws<ArgumentException>(static () => new WireWriter(new byte[1]).U16(1));
        Assert.Throws<ArgumentException>(static () => new WireWriter(new byte[1000]).Vector8(new byte[256]));
        Assert.Throws<ArgumentException>(static () => new WireWriter(new byte[100_000]).Vector16(new byte[65_536]));
        Assert.Throws<ArgumentException>(static () => new WireWriter(new byte[1000]).Text(new string('ä', 128)));
        Assert.Equal(256, Encoding.UTF8.GetByteCount(new string('ä', 128)));
    }
}
