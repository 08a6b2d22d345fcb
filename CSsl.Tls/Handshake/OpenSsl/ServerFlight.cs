using System.Buffers.Binary;
using CSsl.Tls.Records;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>
/// Watches the records that OpenSSL writes for what no function of OpenSSL 3.0 tells: how many records went out under the
/// TLS 1.3 application key, the first explicit nonce of TLS 1.2 GCM, and whether encrypt_then_mac was negotiated.
/// </summary>
internal struct ServerFlight
{
    private const int ExplicitNonceLength = 8;

    private ContentType _last;
    private bool _helloSeen;

    /// <summary>Records of type 23 since <see cref="BeginStep"/>. In the step that reads the client's TLS 1.3 Finished these are the
    /// NewSessionTickets: all that the server has sent under its application key.</summary>
    public int ApplicationDataRecords { get; private set; }

    /// <summary>TLS 1.2: the first eight bytes of the server's Finished record, which GCM sends as explicit nonce (RFC 5288 section 3).
    /// Means nothing for other suites and for TLS 1.3.</summary>
    public ulong FinishedNonce { get; private set; }

    /// <summary>The ServerHello carried encrypt_then_mac (RFC 7366).</summary>
    public bool EncryptThenMac { get; private set; }

    /// <summary>A record of the client is about to be read.</summary>
    public void BeginStep() => ApplicationDataRecords = 0;

    /// <summary>Looks at records, whole ones, in the order in which they are sent.</summary>
    public void Observe(ReadOnlySpan<byte> records)
    {
        while (records.Length >= RecordHeader.Size)
        {
            var type = (ContentType)records[0];
            var length = BinaryPrimitives.ReadUInt16BigEndian(records[3..]);
            var payload = records[RecordHeader.Size..][..length];
            records = records[(RecordHeader.Size + length)..];

            if (type is ContentType.ApplicationData)
                ApplicationDataRecords++;
            else if (type is ContentType.Handshake && _last is ContentType.ChangeCipherSpec && length >= ExplicitNonceLength)
                FinishedNonce = BinaryPrimitives.ReadUInt64BigEndian(payload);
            else if (type is ContentType.Handshake && !_helloSeen)
                (_helloSeen, EncryptThenMac) = (true, ServerHello.HasEncryptThenMac(payload));
            _last = type;
        }
    }
}
