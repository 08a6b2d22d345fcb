using System.Text;
using System.Text.Json;

namespace CSsl.Hosting.Configuration;

/// <summary>Reads a configuration file: JSON with comments and trailing commas, flattened to settings that know their line.</summary>
internal static class JsonSettings
{
    /// <summary>The deepest nesting that a configuration may have.</summary>
    private const int MaxDepth = 32;

    /// <exception cref="ConfigurationException">No such file, or not JSON: says the line.</exception>
    public static List<Setting> Read(string path, string workingDirectory)
    {
        var fullPath = Path.GetFullPath(path, workingDirectory);
        byte[] json;
        try
        {
            json = File.ReadAllBytes(fullPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path}: can't be read: {e.Message}", e);
        }

        return Parse(json, path, Path.GetDirectoryName(fullPath)!);
    }

    /// <inheritdoc cref="Read"/>
    public static List<Setting> Parse(byte[] json, string path, string baseDirectory)
    {
        var utf8 = json.AsSpan();
        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];

        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = MaxDepth });
        var walk = new Walk(path, baseDirectory);
        try
        {
            while (reader.Read())
                walk.Take(ref reader, utf8);
        }
        catch (JsonException e)
        {
            // Only its first sentence: the rest repeats the position, counted from zero.
            var what = e.Message.Split(" LineNumber:")[0];
            throw new ConfigurationException($"{path}:{(e.LineNumber ?? 0) + 1}: not valid JSON: {what}", e);
        }

        return walk.Settings;
    }

    /// <summary>Where the reader is: the path of keys down to the current value.</summary>
    private sealed class Walk(string file, string baseDirectory)
    {
        private readonly Stack<Container> _containers = new();
        private readonly HashSet<string> _seen = new(StringComparer.OrdinalIgnoreCase);
        private string _name = "";
        private int _countedTo;
        private int _line = 1;

        public List<Setting> Settings { get; } = [];

        public void Take(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
        {
            var start = (int)reader.TokenStartIndex;
            _line += json[_countedTo..start].Count((byte)'\n');
            _countedTo = start;

            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    _name = reader.GetString()!;
                    break;
                case JsonTokenType.StartObject when _containers.Count == 0:
                    _containers.Push(new Container("", IsArray: false, _line));
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray when _containers.Count > 0:
                    Open(reader.TokenType == JsonTokenType.StartArray);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    Close();
                    break;
                default:
                    if (_containers.Count == 0)
                        throw new ConfigurationException($"{file}:{_line}: expected an object, {{ … }}");
                    var value = reader.TokenType switch
                    {
                        JsonTokenType.String => reader.GetString()!,
                        JsonTokenType.Null => null,
                        _ => Encoding.UTF8.GetString(reader.ValueSpan),
                    };
                    Add(NextKey(), value, _line);
                    break;
            }
        }

        private void Open(bool isArray)
        {
            var key = NextKey();
            Add(key, null, _line);
            _containers.Push(new Container(key, isArray, _line));
        }

        private void Close()
        {
            var closed = _containers.Pop();
            if (closed is { Key: not "", IsEmpty: true })
                Settings.Add(new Setting(closed.Key, "", $"{file}:{closed.Line}", baseDirectory));
        }

        private string NextKey()
        {
            var parent = _containers.Peek();
            var name = parent.IsArray ? parent.Count.ToString(System.Globalization.CultureInfo.InvariantCulture) : _name;
            parent.Count++;
            return parent.Key.Length == 0 ? name : $"{parent.Key}:{name}";
        }

        private void Add(string key, string? value, int line)
        {
            if (!_seen.Add(key))
                throw new ConfigurationException($"{file}:{line}: the key '{key}' is there twice");
            Settings.Add(new Setting(key, value, $"{file}:{line}", baseDirectory));
        }
    }

    private sealed record Container(string Key, bool IsArray, int Line)
    {
        public int Count { get; set; }
        public bool IsEmpty => Count == 0;
    }
}
