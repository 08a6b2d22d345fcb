using CSsl.Link;
using CSsl.Silo.Exchanges;
using Xunit;
using static CSsl.Silo.Exchanges.Verdict;

namespace CSsl.Tests.Silo.Exchanges;

/// <summary>The table of docs/adr/0005, row by row.</summary>
public sealed class TakeoverJudgeTests
{
    private const int Hash = 7;

    private static readonly ExchangeNote Note = new()
    {
        Kind = NoteKind.Response,
        Checkpoint = 3,
        Index = 1,
        RequestHash = Hash,
        Begin = 100,
        HeadEnd = 150,
        BodyLength = 1000,
        ValidatorKind = ValidatorKind.ETag,
        Validator = "\"v1\"",
    };

    [Theory]
    [InlineData(true, Replay)]
    [InlineData(false, Refuse)]
    internal void Request_is_done_again_only_if_it_may_be_when_nothing_was_delivered(bool isIdempotent, Verdict verdict)
    {
        Assert.Equal(verdict, new Takeover(0, null).Judge(0, Hash, isIdempotent, isUpgrade: false));
        Assert.Equal(verdict, new Takeover(100, Note).Judge(1, Hash, isIdempotent, isUpgrade: false));
        Assert.Equal(verdict, new Takeover(25, Note with { Kind = NoteKind.Informational, Begin = 25, HeadEnd = 25, BodyLength = 0 }).Judge(1, Hash, isIdempotent, isUpgrade: false));
        Assert.Equal(verdict, new Takeover(500, Note).Judge(2, Hash, isIdempotent, isUpgrade: false));
    }

    [Theory]
    [InlineData(150, Resume)]
    [InlineData(151, Resume)]
    [InlineData(1149, Resume)]
    [InlineData(1150, Skip)]
    [InlineData(99, Abort)]
    [InlineData(101, Abort)]
    internal void Response_under_way_goes_on_where_the_client_stands(long delivered, Verdict verdict)
        => Assert.Equal(verdict, new Takeover(delivered, Note).Judge(1, Hash, isIdempotent: true, isUpgrade: false));

    [Fact]
    public void Responses_before_that_of_the_note_are_complete()
        => Assert.Equal(Skip, new Takeover(500, Note).Judge(0, 99, isIdempotent: false, isUpgrade: false));

    [Fact]
    public void What_can_not_be_told_is_a_reset()
    {
        Assert.Equal(Abort, new Takeover(500, null).Judge(0, Hash, isIdempotent: true, isUpgrade: false));
        Assert.Equal(Abort, new Takeover(500, Note).Judge(1, Hash + 1, isIdempotent: true, isUpgrade: false));
        Assert.Equal(Abort, new Takeover(500, Note with { ValidatorKind = ValidatorKind.None }).Judge(1, Hash, isIdempotent: true, isUpgrade: false));
        Assert.Equal(Abort, new Takeover(1151, Note).Judge(2, Hash, isIdempotent: true, isUpgrade: false));
        Assert.Equal(Abort, new Takeover(500, Note with { Kind = NoteKind.Informational, HeadEnd = 100, BodyLength = 0 }).Judge(1, Hash, isIdempotent: true, isUpgrade: false));
    }

    [Fact]
    public void Upgraded_connection_ends_in_order()
    {
        Assert.Equal(EndInOrder, new Takeover(500, null).Judge(0, Hash, isIdempotent: true, isUpgrade: true));
        Assert.Equal(EndInOrder, new Takeover(500, Note with { Kind = NoteKind.Upgraded }).Judge(1, Hash, isIdempotent: true, isUpgrade: true));
    }

    [Theory]
    [InlineData(AttachCause.Wake, false, true, 0, 0UL, TakeoverStartKind.Serve)]
    [InlineData(AttachCause.Takeover, true, true, 0, 0UL, TakeoverStartKind.Serve)]
    [InlineData(AttachCause.Takeover, true, true, 0, 1UL, TakeoverStartKind.EndInOrder)]
    [InlineData(AttachCause.Takeover, true, true, 1, 0UL, TakeoverStartKind.EndInOrder)]
    [InlineData(AttachCause.Takeover, true, false, 0, 0UL, TakeoverStartKind.EndInOrder)]
    [InlineData(AttachCause.Takeover, false, true, 5, 500UL, TakeoverStartKind.Serve)]
    [InlineData(AttachCause.Takeover, false, false, 0, 0UL, TakeoverStartKind.EndInOrder)]
    [InlineData(AttachCause.Takeover, false, false, 0, 100UL, TakeoverStartKind.EndInOrder)]
    [InlineData(AttachCause.Takeover, false, false, 0, 500UL, TakeoverStartKind.Abort)]
    [InlineData(AttachCause.Takeover, false, false, 0, 1150UL, TakeoverStartKind.EndInOrder)]
    [InlineData(AttachCause.Takeover, false, false, 0, 1151UL, TakeoverStartKind.Abort)]
    internal void Session_begins_as_the_gateways_word_says(AttachCause cause, bool isHttp2, bool isReplayable, int replay, ulong delivered, TakeoverStartKind kind)
    {
        var attach = DirectSession.SampleAttach with { Cause = cause, IsReplayable = isReplayable, ReplayRecords = replay, DeliveredBytes = delivered };
        var start = TakeoverStart.Of(attach, isHttp2, delivered == 0 ? null : Note);

        Assert.Equal(kind, start.Kind);
        Assert.Equal(!isHttp2 && !isReplayable && (delivered is 0 or 100 or 1150), start.Response.Length > 0);
    }
}
