using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using CSsl.Tls.Sessions;

namespace CSsl.Hosting.Configuration;

/// <summary>Reads the key files that <see cref="ClusterOptions"/> names.</summary>
public static class KeyFiles
{
    /// <summary>Bytes of a cluster key.</summary>
    public const int ClusterKeyLength = 32;

    /// <summary>The most bytes of a key file.</summary>
    public const int MaxFileLength = 16 * 1024;

    /// <summary>The key of <see cref="ClusterOptions.KeyFile"/>, in pinned memory; the caller's to dispose.</summary>
    /// <exception cref="ConfigurationException">No file is named, it can't be read, or it is no such key: says which and why, never what is in it.</exception>
    public static SecretBytes ReadClusterKey(ClusterOptions options)
    {
        const string Key = $"{ClusterOptions.Section}:{nameof(ClusterOptions.KeyFile)}";
        return Read(options.KeyFile, Key, text =>
        {
            var key = new SecretBytes(ClusterKeyLength);
            if (Convert.TryFromBase64Chars(text.Trim(), key.Span, out var length) && length == ClusterKeyLength)
                return key;

            key.Dispose();
            throw new ConfigurationException($"{Key}: {options.KeyFile} does not hold {ClusterKeyLength} bytes in base64 on one line");
        });
    }

    /// <summary>The key ring of <see cref="ClusterOptions.SealingKeyFile"/>; the caller's to dispose.</summary>
    /// <exception cref="ConfigurationException"><inheritdoc cref="ReadClusterKey"/></exception>
    public static ClusterKeyRing ReadSealingKeys(ClusterOptions options)
    {
        const string Key = $"{ClusterOptions.Section}:{nameof(ClusterOptions.SealingKeyFile)}";
        try
        {
            return Read(options.SealingKeyFile, Key, ClusterKeyRing.Parse);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            throw new ConfigurationException($"{Key}: {options.SealingKeyFile}: {e.Message}", e);
        }
    }

    /// <summary>What is in a key file as of now, for comparing; empty when there is none to read.</summary>
    public static byte[] Digest(string path)
    {
        try
        {
            using var file = Open(path);
            return SHA256.HashData(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The text is in memory that is pinned, and wiped when <paramref name="read"/> returns.</summary>
    private static T Read<T>(string? path, string key, Func<ReadOnlySpan<char>, T> read)
    {
        if (string.IsNullOrEmpty(path))
            throw new ConfigurationException($"{key} is not set: it names a file that every process of the cluster needs");
        using var bytes = new SecretBytes(MaxFileLength + 1);
        using var text = new SecretBytes(bytes.Length * sizeof(char));
        int length;
        try
        {
            using var file = Open(path);
            length = file.ReadAtLeast(bytes.Span, bytes.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{key}: {e.Message}", e);
        }

        if (length > MaxFileLength)
            throw new ConfigurationException($"{key}: {path} has more than {MaxFileLength} bytes: it is no key file");
        var utf8 = bytes.Span[..length];
        var characters = MemoryMarshal.Cast<byte, char>(text.Span);
        return read(characters[..Encoding.UTF8.GetChars(utf8.StartsWith(Encoding.UTF8.Preamble) ? utf8[Encoding.UTF8.Preamble.Length..] : utf8, characters)]);
    }

    // Without a buffer of its own, which nobody would wipe.
    private static FileStream Open(string path) => new(path, new FileStreamOptions { BufferSize = 0 });
}
