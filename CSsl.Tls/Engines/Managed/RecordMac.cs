using System.Security.Cryptography;

namespace CSsl.Tls.Engines.Managed;

/// <summary>HMAC over a pseudo-header and what it describes. Its time depends on the length: not for data that hides a padding length.</summary>
internal sealed class RecordMac(CipherSuiteInfo suite, ReadOnlySpan<byte> key) : IDisposable
{
    private readonly IncrementalHash _hmac = IncrementalHash.CreateHMAC(suite.Hash, key);

    /// <summary>Bytes of a MAC.</summary>
    public int Length { get; } = suite.MacLength;

    /// <summary>Fills <paramref name="mac"/>, which is as long as a MAC is.</summary>
    public void Compute(ReadOnlySpan<byte> pseudoHeader, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        _hmac.AppendData(pseudoHeader);
        _hmac.AppendData(data);
        _hmac.GetHashAndReset(mac);
    }

    public void Dispose() => _hmac.Dispose();
}
