namespace CSsl.Hosting.Configuration;

/// <summary>A configuration that was read and checked.</summary>
public sealed class LoadedConfiguration
{
    private readonly SettingNode _root;

    internal LoadedConfiguration(CsslSettings settings, SettingNode root, string? file)
    {
        Settings = settings;
        _root = root;
        File = file;
    }

    /// <summary>The options.</summary>
    public CsslSettings Settings { get; }

    /// <summary>Full path of the file that was read; null when there was none.</summary>
    public string? File { get; }

    /// <summary>All values as .NET's configuration wants them: flat keys, times as "hh:mm:ss", full paths.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Values => _root.Flatten();

    /// <summary>True when a file, a variable or the command line says something about the key or a part of it.</summary>
    public bool IsSet(string key) => Find(key) is { } node && (node.HasChildren || !string.IsNullOrEmpty(node.Value));

    /// <summary>Where a key was set, for messages: "cssl.json:12". "configuration" when it was not.</summary>
    public string OriginOf(string key) => Find(key)?.Origin ?? "configuration";

    private SettingNode? Find(string key)
    {
        var node = _root;
        foreach (var part in key.Split(':'))
        {
            node = node.Children.FirstOrDefault(child => child.Name.Equals(part, StringComparison.OrdinalIgnoreCase));
            if (node is null)
                return null;
        }

        return node;
    }
}
