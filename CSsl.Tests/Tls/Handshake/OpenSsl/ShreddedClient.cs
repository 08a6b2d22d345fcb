using CSsl.Tls.Records;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>
/// An OpenSSL client whose handshake messages are cut into records of any size, in plaintext and under keys (RFC 8446 section 5.1, RFC 5246 section 6.2.1):
/// what it sends under a handshake key is opened and sealed anew, piece by piece. In TLS 1.2 that key goes on in the data phase, so its data too is sealed here.
/// </summary>
/// <param name="settings">What it offers.</param>
/// <param name="authorityPath">Whom it trusts.</param>
/// <param name="nextLength">The length of the next piece.</param>
internal sealed class ShreddedClient(ClientSettings settings, string authorityPath, Func<int> nextLength) : IDisposable
{
    private static readonly byte[] Nothing = [];

    private readonly OpenSslClient _client = new(settings, authorityPath);
    private readonly byte[] _buffer = new byte[20 * 1024];
    private RecordReadState? _reader;
    private RecordWriteState? _writer;
    private bool _isProtected;

    public OpenSslClient Client => _client;

    public bool IsConnected => _client.IsConnected;

    /// <summary>Records that it has sent under the key that the data phase goes on with.</summary>
    public ulong Sequence => _client.IsTls13 ? 0 : _writer!.Sequence;

    /// <summary>Sent, under the key, before each piece but the first.</summary>
    public (ContentType Type, byte[] Content)? Between { get; init; }

    /// <summary>Put behind the last message, into its record.</summary>
    public byte[] Behind { get; init; } = Nothing;

    /// <summary>As <see cref="OpenSslClient.Handshake"/>.</summary>
    public byte[] Handshake(ReadOnlySpan<byte> fromServer)
    {
        var records = _client.Handshake(fromServer);
        var sent = new List<byte>();
        for (var at = 0; at < records.Length;)
        {
            var record = records.AsSpan(at, RecordHeader.Size + ((records[at + 3] << 8) | records[at + 4]));
            at += record.Length;
            Send(record, sent);
        }

        return [.. sent];
    }

    /// <summary>Seals application data into one record.</summary>
    public byte[] Write(ReadOnlySpan<byte> data)
    {
        if (_client.IsTls13)
            return _client.Write(data);
        var sent = new List<byte>();
        Seal(ContentType.ApplicationData, data, sent);
        return [.. sent];
    }

    public byte[] Read(ReadOnlySpan<byte> fromServer) => _client.Read(fromServer);

    public void Dispose()
    {
        _client.Dispose();
        _reader?.Dispose();
        _writer?.Dispose();
    }

    private void Send(ReadOnlySpan<byte> record, List<byte> sent)
    {
        switch ((ContentType)record[0])
        {
            case ContentType.ChangeCipherSpec:
                _isProtected = !_client.IsTls13;
                sent.AddRange(record);
                break;
            case ContentType.Handshake when !_isProtected:
                for (var message = record[RecordHeader.Size..]; !message.IsEmpty;)
                {
                    var piece = message[..Math.Min(nextLength(), message.Length)];
                    sent.AddRange([.. record[..3], (byte)(piece.Length >> 8), (byte)piece.Length, .. piece]);
                    message = message[piece.Length..];
                }

                break;
            default:
                SendProtected(record, sent);
                break;
        }
    }

    private void SendProtected(ReadOnlySpan<byte> record, List<byte> sent)
    {
        if (_writer is null)
        {
            using var keys = _client.HandshakeKeys();
            (_reader, var unusedWriter) = RecordStates.Create(keys, TlsEndpoint.Server);
            (var unusedReader, _writer) = RecordStates.Create(keys, TlsEndpoint.Client);
            unusedWriter.Dispose();
            unusedReader.Dispose();
        }

        var opened = _reader!.Open(record, _buffer);
        byte[] message = [.. _buffer.AsSpan(0, opened.Length), .. Behind];
        for (var at = 0; at < message.Length;)
        {
            if (at > 0 && Between is { } between)
                Seal(between.Type, between.Content, sent);
            var length = Math.Min(nextLength(), message.Length - at);
            Seal(opened.Type, message.AsSpan(at, length), sent);
            at += length;
        }
    }

    private void Seal(ContentType type, ReadOnlySpan<byte> content, List<byte> sent)
    {
        var record = new byte[_writer!.SealedLength(content.Length)];
        content.CopyTo(record.AsSpan(_writer.PrefixLength));
        sent.AddRange(record.AsSpan(0, _writer.Seal(type, record, content.Length)));
    }
}
