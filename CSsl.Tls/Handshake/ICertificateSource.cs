namespace CSsl.Tls.Handshake;

/// <summary>A certificate chain and its key, as files.</summary>
/// <param name="CertificatePath">PEM: the leaf first, then its chain.</param>
/// <param name="KeyPath">PEM: the unencrypted private key (RSA or EC).</param>
public sealed record CertificateFiles(string CertificatePath, string KeyPath);

/// <summary>Says which certificates a server name gets: by host name, a wildcard of one label, or the default. Thread-safe.</summary>
public interface ICertificateSource
{
    /// <summary>Every list that <see cref="Select"/> answers with now: loaded and checked when a handshake factory is made.</summary>
    IReadOnlyCollection<IReadOnlyList<CertificateFiles>> All { get; }

    /// <summary>One or more identities of different key types (RSA, EC) for the name; OpenSSL picks by what the client supports.
    /// Two names with the same answer must get the same list instance: contexts are cached by it.</summary>
    IReadOnlyList<CertificateFiles> Select(string? serverName);
}
