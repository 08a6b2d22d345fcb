using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Hosting.Configuration;

/// <summary>Reads the key files that <see cref="ClusterOptions"/> names.</summary>
public static class KeyFiles
{
    /// <summary>Bytes of a cluster key.</summary>
    public const int ClusterKeyLength = 32;

    /// <summary>The key of <see cref="ClusterOptions.KeyFile"/>, in pinned memory; the caller's to dispose.</summary>
    /// <exception cref="ConfigurationException">No file is named, it can't be read, or it is no such key: says which and why, never what is in it.</exception>
    public static SecretBytes ReadClusterKey(ClusterOptions options)
    {
        const string Key = $"{ClusterOptions.Section}:{nameof(ClusterOptions.KeyFile)}";
        var text = Read(options.KeyFile, Key).AsSpan().Trim();
        var key = new SecretBytes(ClusterKeyLength);
        if (Convert.TryFromBase64Chars(text, key.Span, out var length) && length == ClusterKeyLength)
            return key;

        key.Dispose();
        throw new ConfigurationException($"{Key}: {options.KeyFile} does not hold {ClusterKeyLength} bytes in base64 on one line");
    }

    /// <summary>The key ring of <see cref="ClusterOptions.SealingKeyFile"/>; the caller's to dispose.</summary>
    /// <exception cref="ConfigurationException"><inheritdoc cref="ReadClusterKey"/></exception>
    public static ClusterKeyRing ReadSealingKeys(ClusterOptions options)
    {
        const string Key = $"{ClusterOptions.Section}:{nameof(ClusterOptions.SealingKeyFile)}";
        try
        {
            return ClusterKeyRing.Parse(Read(options.SealingKeyFile, Key));
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            throw new ConfigurationException($"{Key}: {options.SealingKeyFile}: {e.Message}", e);
        }
    }

    private static string Read(string? path, string key)
    {
        if (string.IsNullOrEmpty(path))
            throw new ConfigurationException($"{key} is not set: it names a file that every process of the cluster needs");
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{key}: {e.Message}", e);
        }
    }
}
