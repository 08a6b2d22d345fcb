using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>The client's end of a session: the same states with the keys swapped.</summary>
internal sealed class TestClient : IDisposable
{
    public TestClient(ExportedSession session, KeyUsageLimit? limit = null, IRecordEngine? engine = null)
    {
        using (session)
            (Reader, Writer) = RecordStates.Create(session, TlsEndpoint.Client, limit, engine);
    }

    public RecordReadState Reader { get; }
    public RecordWriteState Writer { get; }

    public byte[] Seal(ContentType type, params ReadOnlySpan<byte> content) => Seal(Writer, type, content);

    public byte[] SealData(int length, int seed = 42) => Seal(ContentType.ApplicationData, TestSessions.Bytes(length, seed));

    public byte[] SealAlert(AlertLevel level, AlertDescription description) => Seal(ContentType.Alert, (byte)level, (byte)description);

    public byte[] SealKeyUpdate(byte request)
    {
        var record = Seal(ContentType.Handshake, 24, 0, 0, 1, request);
        Writer.UpdateKey();
        return record;
    }

    /// <summary>A first record that may be longer than records may be.</summary>
    public static byte[] SealUnlimited(CipherSuite suite, bool encryptThenMac, ContentType type, ReadOnlySpan<byte> content)
    {
        using var session = TestSessions.Create(suite, encryptThenMac);
        var (reader, writer) = RecordStates.Create(session, TlsEndpoint.Client, maxPlaintext: content.Length);
        reader.Dispose();
        using (writer)
            return Seal(writer, type, content);
    }

    public (ContentType Type, byte[] Content) Open(ReadOnlySpan<byte> record) => Open(Reader, record);

    public static byte[] Seal(RecordWriteState writer, ContentType type, ReadOnlySpan<byte> content)
    {
        var record = new byte[writer.SealedLength(content.Length)];
        content.CopyTo(record.AsSpan(writer.PrefixLength));
        Assert.Equal(record.Length, writer.Seal(type, record, content.Length));
        return record;
    }

    public static (ContentType Type, byte[] Content) Open(RecordReadState reader, ReadOnlySpan<byte> record)
    {
        var plaintext = new byte[record.Length];
        var opened = reader.Open(record, plaintext);
        return (opened.Type, plaintext[..opened.Length]);
    }

    public void Dispose()
    {
        Reader.Dispose();
        Writer.Dispose();
    }
}
