namespace CSsl.Hosting.Configuration;

/// <summary>One entry of the list <c>Certificates</c>. The first entry is also the default; entries with equal names are one
/// identity with several key types (RSA, EC).</summary>
public sealed class CertificateOptions
{
    /// <summary>Name of the list in the configuration.</summary>
    public const string Section = "Certificates";

    /// <summary>Host names, or wildcards of one label ("*.example.com").</summary>
    public IList<string> Names { get; set; } = [];

    /// <summary>Path of a PEM file: the leaf first, then its chain.</summary>
    [FilePath]
    public string Certificate { get; set; } = "";

    /// <summary>Path of a PEM file: the unencrypted private key.</summary>
    [FilePath]
    public string Key { get; set; } = "";
}
