using CSsl.Tls;
using CSsl.Tls.Records;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Records;

public sealed class RecordHeaderTests
{
    [Theory]
    [InlineData(new byte[0], RecordStatus.NeedMore)]
    [InlineData(new byte[] { 22 }, RecordStatus.NeedMore)]
    [InlineData(new byte[] { 22, 3 }, RecordStatus.NeedMore)]
    [InlineData(new byte[] { 22, 3, 1, 0 }, RecordStatus.NeedMore)]
    [InlineData(new byte[] { 22, 3, 1, 0, 2, 9 }, RecordStatus.NeedMore)]
    [InlineData(new byte[] { 22, 3, 1, 0, 2, 9, 9 }, RecordStatus.Complete)]
    [InlineData(new byte[] { 22, 3, 1, 0, 2, 9, 9, 9 }, RecordStatus.Complete)]
    [InlineData(new byte[] { 19 }, RecordStatus.NotTls)]
    [InlineData(new byte[] { 24 }, RecordStatus.NotTls)]
    [InlineData(new byte[] { 0x80, 46, 1 }, RecordStatus.NotTls)]
    [InlineData(new byte[] { 22, 2 }, RecordStatus.BadVersion)]
    [InlineData(new byte[] { 22, 4, 0, 0xFF, 0xFF }, RecordStatus.BadVersion)]
    [InlineData(new byte[] { 22, 3, 1, 0x40, 0 }, RecordStatus.NeedMore)]
    [InlineData(new byte[] { 22, 3, 1, 0x40, 1 }, RecordStatus.Overflow)]
    [InlineData(new byte[] { 20, 3, 3, 0, 0 }, RecordStatus.Empty)]
    [InlineData(new byte[] { 21, 3, 3, 0, 0 }, RecordStatus.Empty)]
    [InlineData(new byte[] { 22, 3, 3, 0, 0 }, RecordStatus.Empty)]
    [InlineData(new byte[] { 23, 3, 3, 0, 0 }, RecordStatus.Complete)]
    public void Peek_tells_what_the_bytes_are(byte[] bytes, RecordStatus expected)
    {
        Assert.Equal(expected, RecordHeader.Peek(bytes, RecordHeader.MaxPlaintext, out _));
    }

    [Theory]
    [InlineData(RecordHeader.MaxPlaintext)]
    [InlineData(RecordHeader.MaxCiphertext13)]
    [InlineData(RecordHeader.MaxCiphertext12)]
    public void Peek_holds_to_the_limit_of_the_phase(int limit)
    {
        var bytes = new byte[RecordHeader.Size];
        new RecordHeader(ContentType.ApplicationData, 0x0303, limit).Write(bytes);
        Assert.Equal(RecordStatus.NeedMore, RecordHeader.Peek(bytes, limit, out var header));
        Assert.Equal(RecordHeader.Size + limit, header.TotalLength);

        new RecordHeader(ContentType.ApplicationData, 0x0303, limit + 1).Write(bytes);
        Assert.Equal(RecordStatus.Overflow, RecordHeader.Peek(bytes, limit, out _));
    }

    [Fact]
    public void Peek_of_any_bytes_agrees_with_what_it_says_and_never_changes_its_mind()
    {
        Prop.ForAll<byte[]>(bytes =>
        {
            var status = RecordHeader.Peek(bytes, RecordHeader.MaxPlaintext, out var header);
            var again = RecordHeader.Peek([.. bytes, 0, 0], RecordHeader.MaxPlaintext, out _);
            return status switch
            {
                RecordStatus.Complete => header.TotalLength <= bytes.Length && again == status,
                RecordStatus.NeedMore => bytes.Length < RecordHeader.Size || header.TotalLength > bytes.Length,
                _ => again == status,
            };
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Written_header_is_read_back()
    {
        Prop.ForAll<byte, byte, ushort>((type, minor, length) =>
        {
            var header = new RecordHeader((ContentType)(20 + (type % 4)), (ushort)(0x0300 | minor), 1 + (length % RecordHeader.MaxCiphertext12));
            var bytes = new byte[header.TotalLength];
            header.Write(bytes);
            return RecordHeader.Peek(bytes, RecordHeader.MaxCiphertext12, out var read) == RecordStatus.Complete && read == header;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_refusal_has_its_alert()
    {
        Assert.Equal(AlertDescription.UnexpectedMessage, RecordHeader.AlertFor(RecordStatus.NotTls));
        Assert.Equal(AlertDescription.UnexpectedMessage, RecordHeader.AlertFor(RecordStatus.Empty));
        Assert.Equal(AlertDescription.ProtocolVersion, RecordHeader.AlertFor(RecordStatus.BadVersion));
        Assert.Equal(AlertDescription.RecordOverflow, RecordHeader.AlertFor(RecordStatus.Overflow));
        Assert.Throws<ArgumentOutOfRangeException>(() => RecordHeader.AlertFor(RecordStatus.NeedMore));
    }
}
