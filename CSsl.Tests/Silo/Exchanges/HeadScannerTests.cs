using System.Text;
using CSsl.Silo.Exchanges;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Silo.Exchanges;

public sealed class HeadScannerTests
{
    private const string Head = "HTTP/1.1 206 Partial Content\r\nA: b\r\nC: d\re\nf\r\n\r\n";

    [Fact]
    public void End_and_status_are_found_whatever_the_pieces_are()
        => Prop.ForAll(Gen.Choose(1, 7).ListOf(60).ToArbitrary(), static pieces =>
        {
            var bytes = Encoding.ASCII.GetBytes(Head + "body\r\n\r\n");
            var scanner = new HeadScanner();
            var at = 0;
            foreach (var piece in pieces)
            {
                var found = scanner.Scan(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
                if (found >= 0)
                    return at + found == Head.Length && scanner.Status == 206;
                at += piece;
            }

            return false;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r")]
    [InlineData("HTTP/1.1 200 OK\n\n\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: \r\r\n")]
    public void Head_that_has_not_ended_goes_on(string head) => Assert.Equal(-1, new HeadScanner().Scan(Encoding.ASCII.GetBytes(head)));
}
