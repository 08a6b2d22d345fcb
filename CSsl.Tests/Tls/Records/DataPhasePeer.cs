using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>A data phase and its client, without a wire between them.</summary>
internal sealed class DataPhasePeer : IDisposable
{
    private readonly byte[] _plaintext = new byte[RecordHeader.Size + RecordHeader.MaxCiphertext12];
    private readonly byte[] _control = new byte[DataPhase.ControlRoom];

    public DataPhasePeer(CipherSuite suite, KeyUsageLimit? limit = null, IRecordEngine? engine = null)
    {
        Server = new DataPhase(TestSessions.Create(suite), engine, limit, Clock);
        Client = new TestClient(TestSessions.Create(suite));
    }

    public FakeTimeProvider Clock { get; } = new();
    public DataPhase Server { get; }
    public TestClient Client { get; }

    public ReadStatus Read(byte[] record) => Server.Read(record, _plaintext, out _);

    public byte[] ReadData(byte[] record)
    {
        Assert.Equal(ReadStatus.ApplicationData, Server.Read(record, _plaintext, out var written));
        return _plaintext[..written];
    }

    public AlertDescription Refusal(byte[] record) => Assert.Throws<TlsException>(() => Read(record)).Alert;

    /// <summary>What the client finds in the one record that the server had pending.</summary>
    public (ContentType Type, byte[] Content) TakePending()
    {
        Assert.True(Server.HasPending);
        var length = Server.WritePending(_control);
        Assert.False(Server.HasPending);
        Assert.Equal(0, Server.WritePending(_control));
        return Client.Open(_control.AsSpan(0, length));
    }

    public byte[] SealFromServer(int length) => TestClient.Seal(Server.Writer, ContentType.ApplicationData, TestSessions.Bytes(length, length));

    public void Dispose()
    {
        Server.Dispose();
        Client.Dispose();
    }
}
