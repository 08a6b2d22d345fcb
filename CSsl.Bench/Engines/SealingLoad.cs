using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;

namespace CSsl.Bench.Engines;

/// <summary>Connections that seal records, one after the other or in batches, next to each other in one buffer, as a data link does it.</summary>
internal sealed class SealingLoad : IDisposable
{
    private readonly IRecordEngine _engine;
    private readonly EngineLoad _load;
    private readonly DataPhase[] _connections;
    private readonly RecordJob[] _jobs;
    private readonly byte[] _buffer;
    private readonly int _recordLength;

    public SealingLoad(IRecordEngine engine, EngineCase suite, EngineLoad load)
    {
        _engine = engine;
        _load = load;
        _connections = [.. Enumerable.Range(1, load.Connections).Select(i => new DataPhase(Session(suite, (byte)i), engine))];
        _jobs = new RecordJob[load.Records];
        _recordLength = _connections[0].Writer.SealedLength(load.Size);
        _buffer = GC.AllocateArray<byte>(_recordLength * load.Records, pinned: true);
    }

    /// <summary>Seals all records that wait, one engine call for each.</summary>
    public void SealOneByOne()
    {
        for (var i = 0; i < _jobs.Length; i++)
            _connections[i % _connections.Length].Writer.Seal(ContentType.ApplicationData, Record(i), _load.Size);
    }

    /// <summary>Seals all records that wait with one engine call.</summary>
    public void SealBatch()
    {
        for (var i = 0; i < _jobs.Length; i++)
            _connections[i % _connections.Length].Writer.Prepare(ContentType.ApplicationData, Record(i), _load.Size, ref _jobs[i]);
        _engine.Run(_jobs);
        foreach (ref var job in _jobs.AsSpan())
            RecordWriteState.Complete(ref job);
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
            connection.Dispose();
    }

    // What is left of the last record is as good a plaintext as any.
    private Span<byte> Record(int index) => _buffer.AsSpan(index * _recordLength, _recordLength);

    internal static ExportedSession Session(EngineCase suite, byte seed)
    {
        var info = CipherSuiteInfo.Get(suite.Suite);
        var tls13 = info.Version == TlsVersion.Tls13;
        return new ExportedSession
        {
            Version = info.Version,
            CipherSuite = suite.Suite,
            EncryptThenMac = suite.EncryptThenMac,
            ClientSecret = Secret(tls13 ? info.HashLength : 48, seed),
            ServerSecret = tls13 ? Secret(info.HashLength, seed) : SecretBytes.Empty,
            ExporterSecret = tls13 ? Secret(info.HashLength, seed) : SecretBytes.Empty,
            ClientRandom = tls13 ? [] : new byte[32],
            ServerRandom = tls13 ? [] : new byte[32],
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
    }

    private static SecretBytes Secret(int length, byte seed)
    {
        var secret = new SecretBytes(length);
        secret.Span.Fill(seed);
        return secret;
    }
}
