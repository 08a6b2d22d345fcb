using CSsl.Link;
using CSsl.Silo.Exchanges;
using CSsl.Tls.Sessions;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo.Exchanges;

public sealed class ExchangeNoteTests
{
    private static readonly Gen<long> Position = Gen.OneOf(Gen.Choose(0, int.MaxValue).Select(static n => (long)n), Gen.Constant(long.MaxValue));

    private static readonly Gen<ExchangeNote> Any =
        from kind in Gen.Elements(Enum.GetValues<NoteKind>())
        from checkpoint in ArbMap.Default.GeneratorFor<ulong>()
        from index in Gen.Choose(0, int.MaxValue)
        from hash in ArbMap.Default.GeneratorFor<ulong>()
        from begin in Position
        from head in Position
        from length in Position
        from offset in Position
        from total in Gen.OneOf(Gen.Constant(-1L), Position)
        from validator in Gen.Choose(0, ExchangeNote.MaxValidatorLength)
        select new ExchangeNote
        {
            Kind = kind,
            Checkpoint = checkpoint,
            Index = index,
            RequestHash = new UInt128(hash, ~hash),
            Begin = begin,
            HeadEnd = head,
            BodyLength = length,
            BodyOffset = offset,
            TotalLength = total,
            ValidatorKind = validator > 0 ? ValidatorKind.ETag : ValidatorKind.None,
            Validator = new string('v', validator),
        };

    [Fact]
    public void Note_comes_back_as_it_went_and_fits_its_frame()
    {
        using var keys = new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate(new string('k', ClusterKeyRing.MaxIdLength))));
        using var sealer = new Sealer(keys);
        Prop.ForAll(Any.ToArbitrary(), note =>
        {
            var id = Guid.NewGuid();
            var box = note.Seal(sealer, id);
            return box.Length <= ResponseNote.MaxLength && ExchangeNote.TryOpen(sealer, box, id) == note && ExchangeNote.TryOpen(sealer, box, Guid.NewGuid()) is null;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Damaged_note_is_none()
    {
        using var keys = new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("k")));
        using var sealer = new Sealer(keys);
        var id = Guid.NewGuid();
        var box = Any.Sample(1).First().Seal(sealer, id);
        for (var at = 0; at < box.Length; at++)
        {
            box[at] ^= 1;
            Assert.Null(ExchangeNote.TryOpen(sealer, box, id));
            box[at] ^= 1;
        }

        Assert.Null(ExchangeNote.TryOpen(sealer, [], id));
        Assert.Null(ExchangeNote.Decode(new byte[71]));
        Assert.Null(ExchangeNote.Decode(new byte[72]));
    }

    [Theory]
    [InlineData("GET", 200, "ETag: \"a\"", "GET 0+10/10 \"a\"")]
    [InlineData("GET", 200, "ETag: W/\"a\"", "GET -")]
    [InlineData("GET", 200, "ETag: a", "GET -")]
    [InlineData("GET", 200, "ETag: \"a\"|Accept-Ranges: none", "GET -")]
    [InlineData("GET", 200, "Last-Modified: Sun, 22 Nov 2026 09:59:00 GMT", "GET 0+10/10 Sun, 22 Nov 2026 09:59:00 GMT")]
    [InlineData("GET", 200, "Last-Modified: Sun, 22 Nov 2026 09:59:01 GMT", "GET -")]
    [InlineData("GET", 200, "Last-Modified: yesterday", "GET -")]
    [InlineData("GET", 200, "ETag: W/\"a\"|Last-Modified: Sun, 22 Nov 2026 09:59:00 GMT", "GET -")]
    [InlineData("GET", 404, "ETag: \"a\"", "GET -")]
    [InlineData("GET", 206, "ETag: \"a\"|Content-Range: bytes 5-14/20", "GET 5+10/20 \"a\"")]
    [InlineData("GET", 206, "ETag: \"a\"|Content-Range: bytes 5-14/*", "GET 5+10/-1 \"a\"")]
    [InlineData("GET", 206, "ETag: \"a\"|Content-Range: bytes 5-15/20", "GET -")]
    [InlineData("GET", 206, "ETag: \"a\"|Content-Range: bytes */20", "GET -")]
    [InlineData("GET", 206, "ETag: \"a\"|Content-Range: lines 5-14/20", "GET -")]
    [InlineData("GET", 206, "ETag: \"a\"", "GET -")]
    [InlineData("POST", 200, "ETag: \"a\"", "POST -")]
    public void Response_is_described_as_one_that_can_go_on_only_if_it_can(string method, int status, string headers, string expected)
    {
        var fields = new HeaderDictionary { ContentLength = 10 };
        fields["Date"] = "Sun, 22 Nov 2026 10:00:00 GMT";
        foreach (var field in headers.Split('|'))
            fields[field[..field.IndexOf(':', StringComparison.Ordinal)]] = field[(field.IndexOf(':', StringComparison.Ordinal) + 2)..];

        var note = ResponseDescriber.Describe(NewNote(), method, status, fields)!;

        Assert.Equal(10, note.BodyLength);
        Assert.Equal(expected, $"{method} {(note.ValidatorKind == ValidatorKind.None ? "-" : $"{note.BodyOffset}+{note.BodyLength}/{note.TotalLength} {note.Validator}")}");
    }

    [Theory]
    [InlineData("HEAD", 200, 0L)]
    [InlineData("GET", 204, 0L)]
    [InlineData("GET", 304, 0L)]
    [InlineData("GET", 200, null)]
    [InlineData("GET", 500, null)]
    public void Length_of_a_body_is_known_where_there_is_none_and_else_where_it_is_said(string method, int status, long? length)
        => Assert.Equal(length, ResponseDescriber.Describe(NewNote(), method, status, new HeaderDictionary())?.BodyLength);

    private static ExchangeNote NewNote() => new() { Kind = NoteKind.Response, Checkpoint = 1, Index = 0, RequestHash = 1, Begin = 0, HeadEnd = 50 };
}
