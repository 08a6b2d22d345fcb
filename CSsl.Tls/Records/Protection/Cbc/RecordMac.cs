using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records.Protection.Cbc;

/// <summary>HMAC over a pseudo-header and what it describes. Its time depends on the length: not for data that hides a padding length.</summary>
internal sealed class RecordMac(CipherSuiteInfo suite, SecretBytes key) : IDisposable
{
    private readonly IncrementalHash _hmac = IncrementalHash.CreateHMAC(suite.Hash, key.Span);

    public void Compute(ulong sequence, RecordHeader header, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        Span<byte> pseudoHeader = stackalloc byte[PseudoHeader.Size];
        PseudoHeader.Write(pseudoHeader, sequence, header, data.Length);
        _hmac.AppendData(pseudoHeader);
        _hmac.AppendData(data);
        _hmac.GetHashAndReset(mac);
    }

    public void Dispose() => _hmac.Dispose();
}
