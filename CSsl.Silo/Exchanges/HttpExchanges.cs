using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CSsl.Silo.Exchanges;

/// <summary>What an HTTP/1.1 connection's exchanges need of the connection. On the application's threads.</summary>
internal interface IExchangeOwner
{
    /// <summary>Bytes up to which the client's input was in records that an earlier silo had seen; it grows while they are opened.</summary>
    long ReplayEnd { get; }

    /// <summary>The client's record number at the last checkpoint.</summary>
    ulong Checkpoint { get; }

    /// <summary>Lets the gateway keep a note; false when there is output before it that still waits to be sent.</summary>
    /// <param name="note">The note.</param>
    /// <param name="hurried">False: a response follows, and takes it along.</param>
    bool TrySendNote(ExchangeNote note, bool hurried);

    /// <summary>Ends the connection, so that nobody takes what was sent for the whole.</summary>
    void Abort(string reason);
}

/// <summary>
/// The requests and responses of an HTTP/1.1 connection as positions in its two streams: what says that the connection is quiescent, and, after a takeover,
/// which requests are done already. One request at a time, as in HTTP/1.1; the application's threads write, and whoever asks <see cref="IsQuiescentAt"/> must
/// know that the application waits for input.
/// </summary>
/// <remarks>When a request gets to the middleware, Kestrel has consumed its head and nothing behind it. So where the next head begins is known from the length
/// of the body, or, where that is chunked, once it has been read to its end. A half-read head is behind that position, although no request is in flight.</remarks>
internal sealed class HttpExchanges : IResponseObserver
{
    private const long Unknown = -1;

    private readonly IExchangeOwner _owner;
    private readonly Takeover? _takeover;
    private IHttpRequestFeature? _request;
    private IHttpResponseFeature? _response;
    private UInt128 _hash;

    // Where the response begins, behind the informational ones.
    private long _begin;
    private long _consumed;
    private long _nextHead;
    private int _begun;
    private bool _inFlight;
    private bool _isNoted;

    // What the gateway knows of the newest response, if another silo could go on with it; and, while it is offered to one, what the next request waits for. Behind the gate.
    private readonly Lock _handOverGate = new();
    private ExchangeNote? _continuable;
    private TaskCompletionSource? _handOver;

    /// <param name="output">The application's end of the output.</param>
    /// <param name="owner">The connection.</param>
    /// <param name="takeover">Set when an earlier silo was lost in the middle of an exchange.</param>
    public HttpExchanges(PipeWriter output, IExchangeOwner owner, Takeover? takeover)
    {
        (_owner, _takeover) = (owner, takeover);
        Output = new ResponseGate(output, this);
        if (takeover is { Delivered: > 0 })
            Output.Resume(takeover.Delivered);
    }

    /// <summary>What the application writes to.</summary>
    public ResponseGate Output { get; }

    /// <summary>Requests that got to the middleware since the last checkpoint.</summary>
    public int Begun => _begun;

    /// <summary>True when, since the last checkpoint, a response began about whose end the gateway has no note: until the next checkpoint nobody can tell that the client has it all.</summary>
    public bool NeedsCheckpoint { get; private set; }

    /// <summary>The application has consumed so many bytes of input.</summary>
    public void OnConsumed(int bytes) => _consumed += bytes;

    /// <summary>True when nothing is under way, all <paramref name="opened"/> bytes of input are consumed, and they end between two requests.</summary>
    public bool IsQuiescentAt(long opened) => !_inFlight && _consumed == opened && _consumed == _nextHead;

    /// <summary>The connection is at a checkpoint: requests and positions are counted from here.</summary>
    public void OnCheckpoint()
    {
        _begun = 0;
        NeedsCheckpoint = false;
        Output.Restart();
        lock (_handOverGate)
            _continuable = null;
    }

    /// <summary>Before <see cref="Begin"/>: no request begins here that another silo, which takes over meanwhile, would have to refuse.</summary>
    /// <returns>Null, or what to wait for before asking again.</returns>
    public Task? TryEnter()
    {
        lock (_handOverGate)
        {
            if (_handOver is null)
                _continuable = null;
            return _handOver?.Task;
        }
    }

    /// <summary>True when another silo could go on with the response under way, and the client has sent nothing behind its request: then no request begins here any more, until <see cref="GoOn"/>. From any thread.</summary>
    /// <param name="sent">Bytes since the checkpoint that are on their way to the client.</param>
    /// <param name="opened">Bytes of input so far.</param>
    public bool TryHandOver(long sent, long opened)
    {
        lock (_handOverGate)
        {
            if (_continuable is not { } note || sent >= note.End || (sent < note.HeadEnd && sent != note.Begin) || _consumed != opened || _consumed != _nextHead)
                return false;
            _handOver ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    /// <summary>Nobody took over.</summary>
    public void GoOn()
    {
        TaskCompletionSource? handOver;
        lock (_handOverGate)
            (handOver, _handOver) = (_handOver, null);
        handOver?.TrySetResult();
    }

    /// <summary>A request is at the middleware.</summary>
    public Verdict Begin(HttpContext context)
    {
        OnResponseEnd();
        if (_begun > 0 && !_isNoted)
            NoteEnd();
        _request = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        _response = context.Features.GetRequiredFeature<IHttpResponseFeature>();
        _inFlight = true;
        _isNoted = false;
        _nextHead = HasChunkedBody(_request.Headers) ? Unknown : _consumed + _request.Headers.ContentLength.GetValueOrDefault();
        _hash = RequestHash.Of(_request);
        _begin = Output.Position;
        var index = _begun++;
        if (_takeover is null || _consumed > _owner.ReplayEnd)
        {
            Output.BeginResponse();
            return Verdict.Serve;
        }

        var verdict = _takeover.Judge(index, _hash, IsIdempotent(_request.Method), context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true });
        switch (verdict)
        {
            case Verdict.Replay or Verdict.Refuse:
                Output.BeginResponse();
                break;
            case Verdict.Skip:
                Output.BeginNothing();
                _isNoted = true;
                break;
            case Verdict.EndInOrder:
                Output.Discard();
                break;
            default:
                Output.Forbid();
                break;
        }

        return verdict;
    }

    /// <summary>The body that the client has a part of.</summary>
    public Resumption NewResumption() => new(_takeover!.Note!, _takeover.Delivered);

    /// <summary>The origin's answer goes on where the client's part ends.</summary>
    public void BeginRest()
    {
        _isNoted = true;
        Output.BeginWithoutHead();
        SetContinuable(_takeover!.Note!);
    }

    /// <summary>The middleware is done with the request; Kestrel may still have to finish the response, or to read the rest of the body.</summary>
    public void End(HttpContext context)
    {
        if (_nextHead == Unknown && IsReadToTheEnd(context.Request.BodyReader))
            _nextHead = _consumed;
        _inFlight = false;
    }

    /// <summary>Kestrel waits for input: the response is written.</summary>
    public void OnIdle()
    {
        if (!_inFlight)
            OnResponseEnd();
    }

    /// <summary>The connection speaks another protocol now (101): it never is quiescent again.</summary>
    public bool IsUpgraded { get; private set; }

    void IResponseObserver.OnHead(int status, long headEnd)
    {
        IsUpgraded |= status == StatusCodes.Status101SwitchingProtocols;
        if (_request is not { } request || _response is not { } response)
            return;
        var kind = status switch
        {
            StatusCodes.Status101SwitchingProtocols => NoteKind.Upgraded,
            < 200 => NoteKind.Informational,
            _ => NoteKind.Response,
        };
        if (kind == NoteKind.Informational)
            _begin = headEnd;
        ExchangeNote? note = NewNote(kind, headEnd);
        if (kind == NoteKind.Response)
            note = ResponseDescriber.Describe(note, request.Method, status, response.Headers);
        if (note is null || !_owner.TrySendNote(note, hurried: false))
            return;
        _isNoted = kind == NoteKind.Response;
        if (note.ValidatorKind != ValidatorKind.None)
            SetContinuable(note);
    }

    void IResponseObserver.OnForbiddenWrite() => _owner.Abort("what would follow is not what the client waits for");

    private void SetContinuable(ExchangeNote note)
    {
        lock (_handOverGate)
            _continuable = note;
    }

    private void OnResponseEnd()
    {
        if (_request is null)
            return;
        NeedsCheckpoint |= !_isNoted;
        (_request, _response) = (null, null);
    }

    // The client is faster than its checkpoint: of a response whose length nobody knew it is told now where it ended.
    private void NoteEnd()
    {
        if (_owner.TrySendNote(NewNote(NoteKind.Response, Output.Position), hurried: true))
            NeedsCheckpoint = false;
    }

    private ExchangeNote NewNote(NoteKind kind, long headEnd) => new()
    {
        Kind = kind,
        Checkpoint = _owner.Checkpoint,
        Index = _begun - 1,
        RequestHash = _hash,
        Begin = _begin,
        HeadEnd = headEnd,
    };

    private static bool HasChunkedBody(IHeaderDictionary headers) => headers.TransferEncoding.Count > 0;

    // RFC 9110 section 9.2.2. CONNECT is not among them.
    private static bool IsIdempotent(string method)
        => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method) || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method);

    private static bool IsReadToTheEnd(PipeReader body)
    {
        try
        {
            if (!body.TryRead(out var result))
                return false;
            body.AdvanceTo(result.Buffer.Start);
            return result.IsCompleted && result.Buffer.IsEmpty;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or BadHttpRequestException)
        {
            // Somebody completed the reader, or the body is broken: where the next head begins is known again when it comes.
            return false;
        }
    }
}
