using System.IO.Pipelines;
using System.Text;
using CSsl.Silo.Exchanges;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo.Exchanges;

/// <summary>What the gateway is told of a response whose client sends on before its checkpoint.</summary>
public sealed class HttpExchangesTests : IExchangeOwner
{
    private const string Head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string Body = "5\r\nhello\r\n0\r\n\r\n";

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly List<ExchangeNote> _notes = [];
    private readonly HttpExchanges _exchanges;
    private bool _isDrained = true;

    public HttpExchangesTests() => _exchanges = new HttpExchanges(_pipe.Writer, this, takeover: null);

    long IExchangeOwner.ReplayEnd => 0;

    ulong IExchangeOwner.Checkpoint => 3;

    bool IExchangeOwner.TrySendNote(ExchangeNote note, bool hurried)
    {
        Assert.True(hurried);
        if (_isDrained)
            _notes.Add(note);
        return _isDrained;
    }

    void IExchangeOwner.Abort(string reason) => Assert.Fail(reason);

    [Fact]
    public async Task Response_of_unknown_length_is_noted_with_the_next_request()
    {
        await ServeAsync("GET");
        Assert.Empty(_notes);
        Begin("PUT");

        var note = Assert.Single(_notes);
        Assert.Equal((NoteKind.Response, 3UL, 0), (note.Kind, note.Checkpoint, note.Index));
        Assert.Equal((0, Head.Length + Body.Length), (note.Begin, note.End));
        Assert.False(_exchanges.NeedsCheckpoint);
    }

    /// <summary>Whatever the client has of it: the whole is passed over, nothing is sent twice, and the next request is done again.</summary>
    [Fact]
    public async Task That_note_judges_both_requests()
    {
        await ServeAsync("GET");
        Begin("PUT");
        var note = Assert.Single(_notes);

        for (var delivered = note.Begin + 1; delivered < note.End; delivered++)
            Assert.Equal(Verdict.Abort, new Takeover(delivered, note).Judge(0, note.RequestHash, isIdempotent: true, isUpgrade: false));
        var takeover = new Takeover(note.End, note);
        Assert.Equal(Verdict.Skip, takeover.Judge(0, note.RequestHash, isIdempotent: true, isUpgrade: false));
        Assert.Equal(Verdict.Replay, takeover.Judge(1, note.RequestHash, isIdempotent: true, isUpgrade: false));
        Assert.Equal(Verdict.Refuse, takeover.Judge(1, note.RequestHash, isIdempotent: false, isUpgrade: false));
    }

    [Fact]
    public async Task Bytes_that_still_wait_are_not_noted()
    {
        await ServeAsync("GET");
        _isDrained = false;
        Begin("PUT");

        Assert.Empty(_notes);
        Assert.True(_exchanges.NeedsCheckpoint);
    }

    [Fact]
    public async Task After_a_checkpoint_there_is_nothing_to_note()
    {
        await ServeAsync("GET");
        _exchanges.OnIdle();
        Assert.True(_exchanges.NeedsCheckpoint);
        _exchanges.OnCheckpoint();
        Begin("PUT");

        Assert.Empty(_notes);
        Assert.False(_exchanges.NeedsCheckpoint);
    }

    private async Task ServeAsync(string method)
    {
        var context = Begin(method);
        await _exchanges.Output.WriteAsync(Encoding.ASCII.GetBytes(Head));
        await _exchanges.Output.WriteAsync(Encoding.ASCII.GetBytes(Body));
        _exchanges.End(context);
    }

    private DefaultHttpContext Begin(string method)
    {
        var context = new DefaultHttpContext { Request = { Method = method, Path = "/" } };
        Assert.Equal(Verdict.Serve, _exchanges.Begin(context));
        return context;
    }
}
