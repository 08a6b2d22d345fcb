using CSsl.Link;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;

namespace CSsl.Tests.Link;

/// <summary>A silo's end of a channel that does TLS, and nothing else: notes what it gets, in order, and seals what it is given, a record per text.</summary>
internal sealed class TlsChannel : LinkChannel, IDisposable
{
    private readonly TaskCompletionSource<Exception> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _noted = new(0);
    private readonly List<string> _log = [];
    private readonly Queue<byte[]> _outgoing = new();
    private readonly RecordReadState _reader;
    private readonly RecordWriteState _writer;

    public TlsChannel()
    {
        using var session = TestSessions.Create(CipherSuite.Aes128GcmSha256);
        (_reader, _writer) = RecordStates.Create(session, TlsEndpoint.Server);
        Client = new TestClient(TestSessions.Create(CipherSuite.Aes128GcmSha256));
    }

    /// <summary>The other end of the session.</summary>
    public TestClient Client { get; }

    public Task<Exception> Lost => _lost.Task.WaitAsync(TestLinks.Patience);

    /// <summary>Runs in Fill, after the jobs were made.</summary>
    public Action<TlsChannel>? AfterFill { get; set; }

    /// <summary>The key of what was prepared last.</summary>
    public RecordKey? Key { get; private set; }

    public void SendText(string text)
    {
        lock (_outgoing)
            _outgoing.Enqueue(System.Text.Encoding.ASCII.GetBytes(text));
        RequestTurn();
    }

    public void SendClose(CloseReason reason)
    {
        Send(FrameKind.Close, [(byte)reason]);
        Release();
    }

    /// <summary>Waits until so many things are noted.</summary>
    public async Task<IReadOnlyList<string>> LogAsync(int count)
    {
        for (var i = 0; i < count; i++)
            Xunit.Assert.True(await _noted.WaitAsync(TestLinks.Patience));
        lock (_log)
            return [.. _log];
    }

    public void Dispose()
    {
        _reader.Dispose();
        _writer.Dispose();
        Client.Dispose();
    }

    protected internal override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload) => Note(kind.ToString());

    protected internal override void OnRecords(ReadOnlySpan<byte> records, Span<byte> plaintext, RecordBatch opening)
    {
        ReturnCredit(records.Length);
        while (!records.IsEmpty)
        {
            var length = RecordHeader.Size + ((records[3] << 8) | records[4]);
            _reader.Prepare(records[..length], plaintext[..length], ref opening.Add(this));
            records = records[length..];
            plaintext = plaintext[length..];
        }
    }

    protected internal override void OnOpened(ref RecordJob job) => Note($"{_reader.Complete(ref job).Type}");

    protected internal override void OnBatchEnd() => Note("end");

    protected internal override void OnLinkLost(Exception reason) => _lost.TrySetResult(reason);

    protected internal override int Fill(Span<byte> room, RecordBatch sealing)
    {
        var written = 0;
        lock (_outgoing)
        {
            while (_outgoing.TryDequeue(out var text))
            {
                text.CopyTo(room[(written + _writer.PrefixLength)..]);
                ref var job = ref sealing.Add(this);
                written += _writer.Prepare(ContentType.ApplicationData, room[written..], text.Length, ref job);
                Key = job.RecordKey;
            }
        }

        AfterFill?.Invoke(this);
        return written;
    }

    private void Note(string what)
    {
        lock (_log)
            _log.Add(what);
        _noted.Release();
    }
}
