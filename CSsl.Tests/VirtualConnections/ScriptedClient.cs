using CSsl.Tests.Support;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.VirtualConnections;

/// <summary>A client that reads all the time, record by record, with keys that the test knows. A record that does not authenticate fails the test.</summary>
internal sealed class ScriptedClient(MemoryConnection connection, TestClient tls, SealedRecords sealedRecords, ExpectedResponses responses)
{
    private int _asked;
    private Task _asking = Task.CompletedTask;
    private volatile bool _isOver;

    /// <summary>How the server ended the connection; null if by a reset.</summary>
    public AlertDescription? Alert { get; private set; }

    /// <summary>KeyUpdates of the server.</summary>
    public int KeyUpdates { get; private set; }

    /// <summary>Reads to the end, FIN or reset.</summary>
    public async Task ReceiveAsync()
    {
        var unread = new List<byte>();
        while (await connection.ReadSomeAsync() is { Length: > 0 } bytes)
        {
            unread.AddRange(bytes);
            var records = unread.ToArray().AsMemory();
            while (records.Length >= RecordHeader.Size && RecordHeader.Size + ((records.Span[3] << 8) | records.Span[4]) is var length && length <= records.Length)
            {
                Take(records.Span[..length]);
                records = records[length..];
            }

            unread.RemoveRange(0, unread.Count - records.Length);
        }

        Assert.True(connection.IsReset || unread.Count == 0, "FIN in the middle of a record");
        responses.CheckEnd();
    }

    /// <summary>Sends requests as one text, in some records. A server that has sent close_notify may not take all of it.</summary>
    public Task AskAsync(Step step) => _asking = SendAllAsync(step);

    public Task UpdateKeyAsync(bool isRequested) => SendAsync(tls.SealKeyUpdate(isRequested ? (byte)1 : (byte)0));

    /// <summary>close_notify and FIN.</summary>
    public async Task CloseAsync()
    {
        _isOver = true;
        if (_asking.IsCompleted)
            await SendAsync(tls.SealAlert(AlertLevel.Warning, AlertDescription.CloseNotify));
        if (!connection.IsReset)
            connection.SendFin();
    }

    private async Task SendAllAsync(Step step)
    {
        Volatile.Write(ref _asked, _asked + step.Requests.Length);
        byte[] text = [.. step.Requests.SelectMany(static request => request.Encode())];
        var piece = Math.Min(16_384, Math.Max(1, text.Length / step.Pieces));
        for (var at = 0; at < text.Length; at += piece)
            await SendAsync(tls.Seal(ContentType.ApplicationData, text.AsSpan(at, Math.Min(piece, text.Length - at))));
    }

    private async Task SendAsync(byte[] record)
    {
        try
        {
            if (!connection.IsReset)
                await connection.SendAsync(record);
        }
        catch (InvalidOperationException) when (connection.IsReset || _isOver)
        {
            // As a socket would say.
        }
    }

    private void Take(ReadOnlySpan<byte> record)
    {
        sealedRecords.Deliver(record);
        var (type, content) = tls.Open(record);
        switch (type)
        {
            case ContentType.ApplicationData:
                // A silo that is lost between its close_notify and the word that it was the last leaves another one to say it again; but nothing else.
                Assert.Null(Alert);
                responses.Add(content, Volatile.Read(ref _asked));
                break;
            case ContentType.Handshake:
                Assert.Equal([24, 0, 0, 1, 0], content);
                tls.Reader.UpdateKey();
                KeyUpdates++;
                break;
            default:
                Alert = (AlertDescription)content[1];
                break;
        }
    }
}
