using System.Globalization;

namespace CSsl.Tls.Handshake;

/// <summary>A certificate that was loaded, for logs and warnings.</summary>
/// <param name="Path">The file it came from.</param>
/// <param name="Subject">The leaf's subject.</param>
/// <param name="KeyAlgorithm">"RSA" or "EC".</param>
/// <param name="NotBefore">Start of its validity.</param>
/// <param name="NotAfter">End of its validity.</param>
/// <param name="DnsNames">The host names that it is for (its subjectAltName); clients look at nothing else.</param>
public sealed record CertificateInfo(string Path, string Subject, string KeyAlgorithm, DateTimeOffset NotBefore, DateTimeOffset NotAfter, IReadOnlyList<string> DnsNames)
{
    private const int NamesShown = 8;

    /// <summary>What an operator should be told when it is served for names that it does not have, or null.</summary>
    /// <param name="names">The configured names.</param>
    public string? NamesWarning(IEnumerable<string> names)
    {
        string[] missing = [.. names.Where(name => !DnsNames.Any(pattern => HostName.Matches(pattern, HostName.ToAscii(name))))];
        return missing.Length == 0 ? null : $"{Path}: the certificate is not for {Show(missing)}: it is for {(DnsNames.Count == 0 ? "no host name" : Show(DnsNames))}";
    }

    /// <summary>What an operator should be told about it now, or null. The certificate is served all the same: it is for clients to refuse it.</summary>
    public string? Warning(DateTimeOffset now)
        => now > NotAfter ? $"{Path}: the certificate expired at {Format(NotAfter)}"
            : now < NotBefore ? $"{Path}: the certificate is not valid before {Format(NotBefore)}"
            : null;

    private static string Show(IReadOnlyList<string> names) => string.Join(", ", names.Take(NamesShown)) + (names.Count > NamesShown ? ", …" : "");

    private static string Format(DateTimeOffset time) => time.ToString("u", CultureInfo.InvariantCulture);
}
