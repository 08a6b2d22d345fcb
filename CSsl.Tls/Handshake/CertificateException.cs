namespace CSsl.Tls.Handshake;

/// <summary>A certificate or key that can't be used: the message names the file and says what is wrong with it, never what is in a key.</summary>
public sealed class CertificateException(string path, string problem, Exception? cause = null) : Exception($"{path}: {problem}", cause)
{
    /// <summary>The file at fault.</summary>
    public string Path { get; } = path;
}
