namespace CSsl.Hosting.Configuration;

/// <summary>The settings as a tree, as the options classes are.</summary>
internal sealed class SettingNode(string key)
{
    private readonly Dictionary<string, SettingNode> _children = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The whole path of the node.</summary>
    public string Key { get; } = key;

    /// <summary>The last part of the path.</summary>
    public string Name => Key[(Key.LastIndexOf(':') + 1)..];

    /// <summary>What was set at this very key; null when only something below it was.</summary>
    public Setting? Own { get; set; }

    public IEnumerable<SettingNode> Children => _children.Values;

    public bool HasChildren => _children.Count > 0;

    /// <summary>The node's text, unless it is only a section.</summary>
    public string? Value => Own?.Value;

    /// <summary>Where the node, or else the first thing below it, was set.</summary>
    public string Origin => Own?.Origin ?? _children.Values.FirstOrDefault()?.Origin ?? "configuration";

    public static SettingNode Build(IEnumerable<Setting> settings)
    {
        var root = new SettingNode("");
        foreach (var setting in settings)
        {
            var node = root;
            foreach (var part in setting.Key.Split(':'))
                node = node.Child(part);
            node.Own = setting;
        }

        return root;
    }

    public void Clear() => _children.Clear();

    public SettingNode Child(string name)
    {
        if (!_children.TryGetValue(name, out var child))
            _children[name] = child = new SettingNode(Key.Length == 0 ? name : $"{Key}:{name}");
        return child;
    }

    /// <summary>All values at and below this node, for .NET's configuration.</summary>
    public IEnumerable<KeyValuePair<string, string?>> Flatten()
    {
        if (Value is not null)
            yield return new(Key, Value);
        foreach (var pair in _children.Values.SelectMany(child => child.Flatten()))
            yield return pair;
    }
}
