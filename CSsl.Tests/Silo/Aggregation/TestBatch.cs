using System.Text;
using CSsl.Link;
using CSsl.Tests.Link;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;

namespace CSsl.Tests.Silo.Aggregation;

/// <summary>Records of one connection, as a link would gather them.</summary>
internal sealed class TestBatch : RecordBatch, IDisposable
{
    private readonly TaskCompletionSource _run = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TestChannel _channel = new();
    private readonly List<(byte[] Record, byte[] Content)> _records = [];
    private readonly RecordWriteState _writer;
    private readonly TestClient _client;

    public TestBatch(IRecordEngine engine, CipherSuite suite = CipherSuite.Aes128GcmSha256)
    {
        using var session = TestSessions.Create(suite);
        var (reader, writer) = RecordStates.Create(session, TlsEndpoint.Server, engine: engine);
        reader.Dispose();
        _writer = writer;
        _client = new TestClient(TestSessions.Create(suite));
    }

    /// <summary>Somebody else has run it.</summary>
    public Task HasRun => _run.Task.WaitAsync(TestSilo.Patience);

    public bool WasTold => _run.Task.IsCompleted;

    /// <summary>Its key, once a record was added.</summary>
    public RecordKey? Key => Count == 0 ? null : Jobs[0].RecordKey;

    public TestBatch With(int records)
    {
        for (var i = 0; i < records; i++)
        {
            var content = Encoding.ASCII.GetBytes($"record {_records.Count}");
            var record = GC.AllocateArray<byte>(_writer.SealedLength(content.Length), pinned: true);
            content.CopyTo(record, _writer.PrefixLength);
            _writer.Prepare(ContentType.ApplicationData, record, content.Length, ref Add(_channel));
            _records.Add((record, content));
        }

        return this;
    }

    public override void OnRun() => _run.SetResult();

    /// <summary>What the link does next, and the client at the end: all of them are sealed, in order.</summary>
    public void Check()
    {
        for (var i = 0; i < Count; i++)
            RecordWriteState.Complete(ref Jobs[i]);
        foreach (var (record, content) in _records)
            Xunit.Assert.Equal(content, _client.Open(record).Content);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _client.Dispose();
    }
}
