using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using CSsl.Silo.Exchanges;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Silo.Exchanges;

public sealed class ResponseGateTests : IResponseObserver
{
    private const string Response = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";
    private const string Continue = "HTTP/1.1 100 Continue\r\n\r\n";
    private const string Upgrade = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly List<(int Status, long End)> _heads = [];
    private readonly ResponseGate _gate;
    private int _forbidden;

    public ResponseGateTests() => _gate = new ResponseGate(_pipe.Writer, this);

    void IResponseObserver.OnHead(int status, long headEnd) => _heads.Add((status, headEnd));

    void IResponseObserver.OnForbiddenWrite() => _forbidden++;

    [Fact]
    public async Task Heads_are_told_before_they_are_flushed()
    {
        _gate.BeginResponse();
        Write(Continue);
        Assert.Empty(_heads);
        await _gate.FlushAsync();
        Write(Response);
        await _gate.FlushAsync();
        Write("HTTP/1.1 500 in the body\r\n\r\n");
        await _gate.FlushAsync();

        Assert.Equal([(100, Continue.Length), (200, Continue.Length + Response.Length - 4)], _heads);
    }

    [Fact]
    public async Task After_an_upgrade_nothing_is_a_head()
    {
        _gate.BeginResponse();
        Write(Upgrade + Response);
        await _gate.FlushAsync();

        Assert.Equal([(101, Upgrade.Length)], _heads);
    }

    [Fact]
    public void Everything_passes_whatever_the_pieces_are()
        => Prop.ForAll(Gen.Choose(1, 5000).ListOf(8).ToArbitrary(), static sizes => new ResponseGateTests().Passes([.. sizes])).QuickCheckThrowOnFailure();

    [Fact]
    public void Body_goes_on_without_its_head_whatever_the_pieces_are()
        => Prop.ForAll(Gen.Choose(1, 20).ListOf(30).ToArbitrary(), static sizes => new ResponseGateTests().PassesBodyOnly([.. sizes])).QuickCheckThrowOnFailure();

    [Fact]
    public async Task Response_that_the_client_has_leaves_no_byte_and_nothing_may_follow_it()
    {
        _gate.Resume(1000);
        _gate.BeginNothing();
        Write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await _gate.FlushAsync();
        Assert.Equal(0, _forbidden);

        Write("x");
        Assert.Equal(1, _forbidden);
        _gate.BeginResponse();
        Write("y");
        Assert.Equal("y", await ReadAsync());
        Assert.Equal(1001, _gate.Position);
        Assert.Empty(_heads);
    }

    [Fact]
    public async Task Nothing_may_be_written_after_a_takeover_before_a_request_was_judged()
    {
        _gate.Resume(10);
        Write(Response);
        await _gate.FlushAsync();

        Assert.True(_forbidden > 0);
        Assert.Equal(10, _gate.Position);
        Assert.False(_pipe.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Discarded_output_is_nobodys_fault()
    {
        _gate.Discard();
        Write(Response);
        await _gate.CompleteAsync();

        Assert.Equal(0, _forbidden);
        Assert.Equal("", await ReadAsync());
    }

    private bool Passes(int[] sizes)
    {
        _gate.BeginResponse();
        var written = new StringBuilder();
        foreach (var size in sizes)
        {
            var piece = new string((char)('a' + (size % 26)), size);
            written.Append(piece);
            Write(piece);
        }

        return _gate.Position == written.Length && ReadAsync().GetAwaiter().GetResult() == written.ToString();
    }

    private bool PassesBodyOnly(int[] sizes)
    {
        const string All = Continue + "HTTP/1.1 206 Partial Content\r\nContent-Length: 30\r\n\r\n" + "0123456789\r\n\r\n0123456789abcdef";
        _gate.BeginWithoutHead();
        var at = 0;
        foreach (var size in sizes.Append(All.Length))
        {
            var piece = All.Substring(at, Math.Min(size, All.Length - at));
            at += piece.Length;
            Write(piece);
        }

        return ReadAsync().GetAwaiter().GetResult() == All[^30..] && _heads.Count == 0;
    }

    // As Kestrel does: one span, advanced in steps.
    private void Write(string text)
    {
        var rest = Encoding.ASCII.GetBytes(text).AsSpan();
        while (!rest.IsEmpty)
        {
            var room = _gate.GetSpan(rest.Length > 100 ? 100 : rest.Length);
            var length = Math.Min(room.Length, rest.Length);
            rest[..length].CopyTo(room);
            _gate.Advance(length / 2);
            _gate.Advance(length - (length / 2));
            rest = rest[length..];
        }
    }

    private async Task<string> ReadAsync()
    {
        await _gate.CompleteAsync();
        var result = await _pipe.Reader.ReadAtLeastAsync(int.MaxValue / 2);
        return Encoding.ASCII.GetString(result.Buffer.ToArray());
    }
}
