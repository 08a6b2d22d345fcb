using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>The sealing keys of a cluster, newest first, each with an id. Held by silos only. Thread-safe.</summary>
/// <remarks>
/// A key file: one key per line, newest first; the id tells which key sealed something, and is never used again for another key.
/// <code>
/// # comment
/// 2026-11:mX0vQk...=      seals, once all silos have it, and opens
/// 2026-10:7Yw2Lr...=      opens
/// </code>
/// </remarks>
public sealed class ClusterKeyRing : IDisposable
{
    /// <summary>Length of a key in bytes.</summary>
    public const int KeyLength = 32;

    /// <summary>The most keys in a ring.</summary>
    public const int MaxKeys = 16;

    /// <summary>The most characters in a key id: ASCII letters, digits, '.', '_' and '-'.</summary>
    public const int MaxIdLength = 32;

    private static readonly SearchValues<char> IdCharacters
        = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private readonly ClusterKey[] _keys;

    private ClusterKeyRing(ClusterKey[] keys) => _keys = keys;

    /// <summary>The ids of the keys, newest first; not secret.</summary>
    public IReadOnlyList<string> KeyIds => Array.ConvertAll(_keys, static key => key.Id);

    /// <summary>The names of the keys, newest first: the id, '#', and 16 hexadecimal digits that are derived from the key (HKDF). Two keys of one id have two names. Not secret.</summary>
    public IReadOnlyList<string> KeyNames => Array.ConvertAll(_keys, static key => key.Name);

    internal IEnumerable<ClusterKey> Keys => _keys;

    internal ClusterKey Newest => _keys[0];

    /// <summary>Reads a ring from a key file: one key per line, newest first, "id:base64 of 32 bytes"; '#' starts a comment.</summary>
    /// <param name="text">Secret; the caller's to wipe.</param>
    /// <exception cref="FormatException">The text is not a ring: says which line and why, and never repeats a key.</exception>
    public static ClusterKeyRing Parse(ReadOnlySpan<char> text)
    {
        var keys = new List<ClusterKey>();
        try
        {
            var number = 0;
            foreach (var line in text.EnumerateLines())
            {
                number++;
                var content = line.IndexOf('#') is >= 0 and var comment ? line[..comment] : line;
                content = content.Trim();
                if (content.IsEmpty)
                    continue;

                var key = ParseKey(content, number);
                keys.Add(key);
                RefuseDuplicates(keys, number);
                if (keys.Count > MaxKeys)
                    throw new FormatException($"Key ring, line {number}: more than {MaxKeys} keys.");
            }

            return keys.Count > 0
                ? new ClusterKeyRing([.. keys])
                : throw new FormatException("Key ring: there is no key in it.");
        }
        catch
        {
            keys.ForEach(static key => key.Dispose());
            throw;
        }
    }

    /// <summary>A new random key as a line of a key file, newline included. Secret: write it to a file that only silos can read.</summary>
    /// <param name="id">Its id; see <see cref="MaxIdLength"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="id"/> is not an id.</exception>
    public static string Generate(string id)
    {
        if (!IsId(id))
            throw new ArgumentException($"A key id is 1 to {MaxIdLength} letters, digits, '.', '_' or '-'.", nameof(id));

        Span<byte> key = stackalloc byte[KeyLength];
        RandomNumberGenerator.Fill(key);
        var line = $"{id}:{Convert.ToBase64String(key)}\n";
        CryptographicOperations.ZeroMemory(key);
        return line;
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        foreach (var key in _keys)
            key.Dispose();
    }

    internal ClusterKey? Find(string name) => Array.Find(_keys, key => key.Name == name);

    internal bool TryFind(ReadOnlySpan<byte> id, [NotNullWhen(true)] out ClusterKey? found)
    {
        foreach (var key in _keys)
        {
            if (id.SequenceEqual(key.IdBytes))
            {
                found = key;
                return true;
            }
        }

        found = null;
        return false;
    }

    private static ClusterKey ParseKey(ReadOnlySpan<char> line, int number)
    {
        var colon = line.IndexOf(':');
        if (colon < 0)
            throw new FormatException($"Key ring, line {number}: not of the form id:base64.");

        var id = line[..colon].Trim();
        if (!IsId(id))
            throw new FormatException($"Key ring, line {number}: an id is 1 to {MaxIdLength} letters, digits, '.', '_' or '-'.");

        var secret = new SecretBytes(KeyLength);
        if (Convert.TryFromBase64Chars(line[(colon + 1)..].Trim(), secret.Span, out var written) && written == KeyLength)
            return new ClusterKey(id.ToString(), secret);

        secret.Dispose();
        throw new FormatException($"Key ring, line {number}: the key of '{id}' is not the base64 of {KeyLength} bytes.");
    }

    private static void RefuseDuplicates(List<ClusterKey> keys, int number)
    {
        var last = keys[^1];
        foreach (var key in keys.AsReadOnly().Take(keys.Count - 1))
        {
            if (key.Id == last.Id)
                throw new FormatException($"Key ring, line {number}: a second key with the id '{last.Id}'.");
            if (CryptographicOperations.FixedTimeEquals(key.Secret.Span, last.Secret.Span))
                throw new FormatException($"Key ring, line {number}: '{last.Id}' is the same key as '{key.Id}'.");
        }
    }

    private static bool IsId(ReadOnlySpan<char> id)
        => id.Length is > 0 and <= MaxIdLength && !id.ContainsAnyExcept(IdCharacters);
}

/// <summary>One key of a ring.</summary>
internal sealed class ClusterKey : IDisposable
{
    private const int FingerprintLength = 8;

    /// <param name="id">Its id.</param>
    /// <param name="secret">Takes ownership.</param>
    public ClusterKey(string id, SecretBytes secret)
    {
        (Id, IdBytes, Secret) = (id, Encoding.ASCII.GetBytes(id), secret);
        Span<byte> fingerprint = stackalloc byte[FingerprintLength];
        HKDF.Expand(HashAlgorithmName.SHA256, secret.Span, fingerprint, "c-ssl sealing key fingerprint 1"u8);
        Name = $"{id}#{Convert.ToHexStringLower(fingerprint)}";
    }

    public string Id { get; }

    public byte[] IdBytes { get; }

    /// <summary>See <see cref="ClusterKeyRing.KeyNames"/>.</summary>
    public string Name { get; }

    public SecretBytes Secret { get; }

    public ClusterKey Copy() => new(Id, new SecretBytes(Secret.Span));

    public void Dispose() => Secret.Dispose();
}
