namespace CSsl.Hosting.Configuration;

/// <summary>One key of the configuration with where it came from.</summary>
/// <param name="Key">Path with ':' between the parts, as in any .NET host.</param>
/// <param name="Value">The text; null when the key only opens a section or a list.</param>
/// <param name="Origin">For error messages: "cssl.json:12", "environment variable CSSL_X", "command line".</param>
/// <param name="BaseDirectory">What relative paths are relative to.</param>
internal sealed record Setting(string Key, string? Value, string Origin, string BaseDirectory);

/// <summary>Settings of all sources; a later one replaces an earlier one of the same key.</summary>
internal sealed class SettingTable
{
    private readonly Dictionary<string, Setting> _settings = new(StringComparer.OrdinalIgnoreCase);

    public IEnumerable<Setting> All => _settings.Values;

    /// <summary>Adds a setting. A value replaces a whole section or list of the same key (an empty value clears it), and the other way around.</summary>
    public void Add(Setting setting)
    {
        if (setting.Value is null)
        {
            _settings.TryAdd(setting.Key, setting);
            return;
        }

        var prefix = setting.Key + ':';
        foreach (var replaced in _settings.Keys.Where(key => key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)).ToList())
            _settings.Remove(replaced);

        for (var end = setting.Key.LastIndexOf(':'); end > 0; end = setting.Key.LastIndexOf(':', end - 1))
        {
            var ancestor = setting.Key[..end];
            if (_settings.TryGetValue(ancestor, out var old) && old.Value is not null)
                _settings[ancestor] = old with { Value = null };
        }

        _settings[setting.Key] = setting;
    }
}
