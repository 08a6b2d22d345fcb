using CSsl.Tls.Handshake;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Handshake;

public sealed class ClientHelloRecordsTests
{
    [Fact]
    public void Hello_is_the_same_in_as_few_records_as_there_can_be()
        => Prop.ForAll(Gen.Choose(0, 40_000).ToArbitrary(), Gen.OneOf(Gen.Choose(1, 50), Gen.Choose(1, 1 << 14)).ToArbitrary(), static (padding, recordLength) =>
        {
            var message = new HelloBuilder().ServerName("example.com").Extension(21, [.. Enumerable.Range(0, padding).Select(static i => (byte)i)]).Message();
            Assert.Equal(HelloBuilder.Records(message, 1 << 14), Gather(HelloBuilder.Records(message, recordLength), behind: [22, 3, 3]));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Theory]
    [InlineData(1)]
    [InlineData(1 << 14)]
    public void Longest_hello_fits_one_frame_of_the_link(int recordLength)
    {
        var message = HelloBuilder.Longest();
        var whole = Gather(HelloBuilder.Records(message, recordLength), behind: []);
        Assert.Equal(HelloBuilder.Records(message, 1 << 14), whole);
        Assert.Equal(ClientHelloRecords.MaxLength, whole.Length);
        Assert.InRange(whole.Length, 0, CSsl.Link.LinkChannel.MaxPayload);
    }

    private static byte[] Gather(byte[] records, byte[] behind)
    {
        var input = Segments.Of((byte[])[.. records, .. behind], 1000);
        Assert.Equal(ClientHelloStatus.Complete, ClientHello.Peek(input, int.MaxValue, out var hello, out _));
        Assert.Equal(records.Length, hello!.RecordBytes);
        var whole = new byte[ClientHelloRecords.LengthOf(hello)];
        ClientHelloRecords.Write(hello, input.Slice(0, hello.RecordBytes), whole);
        return whole;
    }
}
