using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Engines;

/// <summary>A server's data phase on an engine, its client on .NET's ciphers, and pinned memory for records that wait in a batch.</summary>
internal sealed class EngineConnection : IDisposable
{
    private const int RecordRoom = 20_000;

    private readonly byte[] _memory = GC.AllocateArray<byte>(64 * RecordRoom, pinned: true);
    private int _used;

    public EngineConnection(IRecordEngine engine, CipherSuite suite, bool encryptThenMac = false)
    {
        Server = new DataPhase(TestSessions.Create(suite, encryptThenMac), engine);
        Client = new TestClient(TestSessions.Create(suite, encryptThenMac));
    }

    public DataPhase Server { get; }
    public TestClient Client { get; }

    /// <summary>Prepares a record of the client to be opened.</summary>
    public void PrepareRead(byte[] record, ref RecordJob job)
    {
        var place = Room(record.Length);
        record.CopyTo(place);
        Server.PrepareRead(place, Room(record.Length), ref job);
    }

    /// <summary>Prepares a record of the server's application; returns where it will be.</summary>
    public Memory<byte> PrepareWrite(ReadOnlySpan<byte> content, ref RecordJob job)
    {
        var length = Server.Writer.SealedLength(content.Length);
        var at = _used;
        var record = Room(length);
        content.CopyTo(record[Server.Writer.PrefixLength..]);
        Assert.Equal(length, Server.Writer.Prepare(ContentType.ApplicationData, record, content.Length, ref job));
        return _memory.AsMemory(at, length);
    }

    /// <summary>Pinned memory that nothing else is in.</summary>
    public Span<byte> Room(int length)
    {
        _used += length;
        return _memory.AsSpan(_used - length, length);
    }

    public byte[] CompleteRead(ref RecordJob job)
    {
        Assert.Equal(ReadStatus.ApplicationData, Server.CompleteRead(ref job, out var opened));
        return opened.ToArray();
    }

    public AlertDescription Refusal(ref RecordJob job)
    {
        try
        {
            Server.CompleteRead(ref job, out _);
        }
        catch (TlsException e)
        {
            return e.Alert;
        }

        throw new Xunit.Sdk.XunitException("The record was not refused.");
    }

    public void Dispose()
    {
        Server.Dispose();
        Client.Dispose();
    }
}
