using System.Globalization;

namespace CSsl.Tls.Handshake;

/// <summary>A certificate that was loaded, for logs and warnings.</summary>
/// <param name="Path">The file it came from.</param>
/// <param name="Subject">The leaf's subject.</param>
/// <param name="KeyAlgorithm">"RSA" or "EC".</param>
/// <param name="NotBefore">Start of its validity.</param>
/// <param name="NotAfter">End of its validity.</param>
public sealed record CertificateInfo(string Path, string Subject, string KeyAlgorithm, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>What an operator should be told about it now, or null. The certificate is served all the same: it is for clients to refuse it.</summary>
    public string? Warning(DateTimeOffset now)
        => now > NotAfter ? $"{Path}: the certificate expired at {Format(NotAfter)}"
            : now < NotBefore ? $"{Path}: the certificate is not valid before {Format(NotBefore)}"
            : null;

    private static string Format(DateTimeOffset time) => time.ToString("u", CultureInfo.InvariantCulture);
}
