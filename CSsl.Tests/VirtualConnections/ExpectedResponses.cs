using System.Globalization;
using System.Text;
using Xunit;

namespace CSsl.Tests.VirtualConnections;

/// <summary>The client's plaintext, compared byte by byte with the responses that it must be a prefix of.</summary>
/// <param name="requests">In the order in which they are sent.</param>
internal sealed class ExpectedResponses(IReadOnlyList<SampleRequest> requests)
{
    private const string Refusal = "502 Bad Gateway: the server that had this request was lost";

    private readonly Lock _gate = new();
    private readonly StringBuilder _line = new();
    private TaskCompletionSource? _waiting;
    private int _waitingFor;
    private Part _part;
    private int _bodyAt;
    private int _left;
    private bool _isRefused;

    private enum Part
    {
        Head,
        Body,
        ChunkSize,
        Chunk,
        ChunkEnd,
        RefusalBody,
    }

    /// <summary>Requests that were answered whole.</summary>
    public int Answered { get; private set; }

    /// <summary>Requests that were answered with 502.</summary>
    public int Refused { get; private set; }

    /// <summary>A 502 said that it is the last response.</summary>
    public bool IsClosing { get; private set; }

    /// <summary>True between two responses.</summary>
    public bool IsAtBoundary => _part == Part.Head && _line.Length == 0;

    private SampleRequest Current => requests[Answered];

    /// <summary>Completes once so many requests are answered.</summary>
    public Task WhenAnsweredAsync(int count)
    {
        lock (_gate)
        {
            _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waitingFor = count;
            if (Answered >= count)
                _waiting.SetResult();
            return _waiting.Task;
        }
    }

    /// <summary>The client got this.</summary>
    /// <param name="bytes">Application data.</param>
    /// <param name="asked">Requests that the client has begun to send.</param>
    public void Add(ReadOnlySpan<byte> bytes, int asked)
    {
        lock (_gate)
        {
            while (!bytes.IsEmpty)
            {
                Assert.True(Answered < asked, $"{bytes.Length} bytes behind the last response");
                bytes = bytes[Take(bytes)..];
            }
        }
    }

    /// <summary>What came of a head is the beginning of one that it may be.</summary>
    public void CheckEnd()
    {
        if (_part == Part.Head && _line.Length > 0)
            Assert.True(Current.Head.StartsWith(_line.ToString(), StringComparison.Ordinal) || _line.ToString().StartsWith("HTTP/1.1 502", StringComparison.Ordinal), $"half a head: {_line}");
    }

    private int Take(ReadOnlySpan<byte> bytes)
    {
        switch (_part)
        {
            case Part.Head:
                if (IsLine((char)bytes[0], "\r\n\r\n"))
                    TakeHead(_line.ToString());
                return 1;
            case Part.ChunkSize:
                if (IsLine((char)bytes[0], "\r\n"))
                    TakeChunkSize(_line.ToString());
                return 1;
            case Part.ChunkEnd:
                if (IsLine((char)bytes[0], "\r\n"))
                {
                    Assert.Equal("\r\n", _line.ToString());
                    Begin(Part.ChunkSize);
                    if (_left < 0)
                        Finish();
                }

                return 1;
            default:
                return TakeBody(bytes);
        }
    }

    private int TakeBody(ReadOnlySpan<byte> bytes)
    {
        var length = Math.Min(bytes.Length, _left);
        var body = _isRefused ? Encoding.ASCII.GetBytes(Refusal) : Current.Body;
        var expected = body.Span[Math.Min(_bodyAt, body.Length)..];
        if (_isRefused)
            expected = expected[..Math.Min(expected.Length, length)];
        Assert.True(expected.Length >= length || _isRefused, $"the body of {Current} is too long");
        Assert.True(bytes[..Math.Min(length, expected.Length)].SequenceEqual(expected[..Math.Min(length, expected.Length)]), $"the body of {Current} differs within {length} bytes from {_bodyAt} on");
        _bodyAt += length;
        _left -= length;
        if (_left == 0)
        {
            if (_part == Part.Chunk)
                Begin(Part.ChunkEnd);
            else
                Finish();
        }

        return length;
    }

    private void TakeHead(string head)
    {
        (_bodyAt, _isRefused) = (0, false);
        if (head == Current.Head)
        {
            _left = Current.Length;
            Begin(Current.Content == SampleContent.Chunked ? Part.ChunkSize : Part.Body);
            if (Current.Method == "HEAD" || (Current.Content != SampleContent.Chunked && _left == 0))
                Finish();
            return;
        }

        Assert.True(head.StartsWith("HTTP/1.1 502 Bad Gateway\r\n", StringComparison.Ordinal), $"to {Current}, which is answered with\n{Current.Head}: {head}");
        Assert.True(!Current.IsIdempotent || requests.Any(static request => request.IsLong), $"{Current} was refused");
        IsClosing = head.Contains("Connection: close\r\n", StringComparison.OrdinalIgnoreCase);
        var at = head.IndexOf("Content-Length: ", StringComparison.Ordinal) + "Content-Length: ".Length;
        _left = int.Parse(head[at..head.IndexOf('\r', at)], CultureInfo.InvariantCulture);
        _isRefused = true;
        Refused++;
        Begin(Part.RefusalBody);
    }

    private void TakeChunkSize(string line)
    {
        _left = int.Parse(line[..^2], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (_left > 0)
        {
            Begin(Part.Chunk);
            return;
        }

        Assert.Equal(Current.Length, _bodyAt);
        _left = -1;
        Begin(Part.ChunkEnd);
    }

    private bool IsLine(char next, string end)
    {
        _line.Append(next);
        return next == '\n' && _line.Length >= end.Length && _line.ToString(_line.Length - end.Length, end.Length) == end;
    }

    private void Begin(Part part)
    {
        _part = part;
        _line.Clear();
    }

    private void Finish()
    {
        Begin(Part.Head);
        Answered++;
        if (Answered >= _waitingFor)
            _waiting?.TrySetResult();
    }
}
