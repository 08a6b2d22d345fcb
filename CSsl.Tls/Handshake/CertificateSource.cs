using System.Collections.Frozen;

namespace CSsl.Tls.Handshake;

/// <summary>A configured certificate and the host names that get it.</summary>
/// <param name="Names">Host names: exact ("example.com", "bücher.example") or with a wildcard for the first label ("*.example.com"). May be empty: default only.</param>
/// <param name="Files">The certificate and its key.</param>
public sealed record CertificateEntry(IReadOnlyList<string> Names, CertificateFiles Files);

/// <summary>
/// The certificates of a configuration. Entries with the same names are one identity with several key types; the first identity is
/// also the default, for clients that name no host or one that is not configured.
/// </summary>
public sealed class CertificateSource : ICertificateSource
{
    private readonly IReadOnlyList<CertificateFiles> _default;
    private readonly FrozenDictionary<string, IReadOnlyList<CertificateFiles>> _exact;
    private readonly FrozenDictionary<string, IReadOnlyList<CertificateFiles>>.AlternateLookup<ReadOnlySpan<char>> _wildcards;

    /// <param name="entries">In the order of the configuration; at least one.</param>
    /// <exception cref="ArgumentException">No entry, a name that is no host name, or a name in two identities.</exception>
    public CertificateSource(IEnumerable<CertificateEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var exact = new Dictionary<string, IReadOnlyList<CertificateFiles>>(StringComparer.OrdinalIgnoreCase);
        var wildcards = new Dictionary<string, IReadOnlyList<CertificateFiles>>(StringComparer.OrdinalIgnoreCase);
        var identities = new List<Identity>();

        foreach (var entry in entries)
        {
            var names = entry.Names.Select(HostName.ToAscii).ToHashSet(StringComparer.OrdinalIgnoreCase);
            var identity = identities.Find(i => i.Names.SetEquals(names));
            if (identity is null)
            {
                identity = new Identity(names, []);
                identities.Add(identity);
                foreach (var name in names)
                    Add(name, identity.Files);
            }

            identity.Files.Add(entry.Files);
        }

        if (identities.Count == 0)
            throw new ArgumentException("There is no certificate.");
        _default = identities[0].Files;
        All = identities.ConvertAll(static i => (IReadOnlyList<CertificateFiles>)i.Files);
        _exact = exact.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        _wildcards = wildcards.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

        void Add(string name, IReadOnlyList<CertificateFiles> files)
        {
            var isWildcard = name.StartsWith("*.", StringComparison.Ordinal);
            var host = isWildcard ? name[2..] : name;
            if (Uri.CheckHostName(host) != UriHostNameType.Dns || host.EndsWith('.'))
                throw new ArgumentException($"Certificate name '{name}' is neither a host name nor a wildcard such as *.example.com.");
            if (!(isWildcard ? wildcards : exact).TryAdd(host, files))
                throw new ArgumentException($"Certificate name '{name}' belongs to two entries whose names differ.");
        }
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<IReadOnlyList<CertificateFiles>> All { get; }

    /// <inheritdoc/>
    public IReadOnlyList<CertificateFiles> Select(string? serverName)
    {
        if (serverName is null)
            return _default;

        // RFC 6066 section 3 leaves the root's dot out; some clients send it.
        if (serverName.EndsWith('.'))
            serverName = serverName[..^1];
        if (_exact.TryGetValue(serverName, out var files))
            return files;

        // RFC 6125 section 6.4.3: the wildcard stands for one whole label.
        var dot = serverName.IndexOf('.');
        return dot > 0 && _wildcards.TryGetValue(serverName.AsSpan(dot + 1), out files) ? files : _default;
    }

    private sealed record Identity(HashSet<string> Names, List<CertificateFiles> Files);
}

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

/// <summary>A certificate or key that can't be used: the message names the file and says what is wrong with it, never what is in a key.</summary>
public sealed class CertificateException(string path, string problem, Exception? cause = null) : Exception($"{path}: {problem}", cause)
{
    /// <summary>The file at fault.</summary>
    public string Path { get; } = path;
}
