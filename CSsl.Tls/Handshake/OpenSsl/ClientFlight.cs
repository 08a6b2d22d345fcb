using CSsl.Tls.Records;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>
/// Counts the records that the client has sent under its TLS 1.2 keys, which no function of OpenSSL tells: those after its ChangeCipherSpec. Mostly its
/// Finished is the only one, but that may come in several records (RFC 5246 section 6.2.1), and be kept company by whatever else OpenSSL lets pass.
/// Means nothing for TLS 1.3, whose Finished is under another key than what follows.
/// </summary>
internal struct ClientFlight
{
    private bool _isProtected;

    /// <summary>The sequence number of the client's next record.</summary>
    public ulong ProtectedRecords { get; private set; }

    /// <summary>A record is about to be read.</summary>
    public void Observe(ContentType type)
    {
        if (_isProtected)
            ProtectedRecords++;
        _isProtected |= type is ContentType.ChangeCipherSpec;
    }
}
