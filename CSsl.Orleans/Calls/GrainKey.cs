using System.Globalization;

namespace CSsl.EmbeddedCluster.Calls;

/// <summary>A grain's key as text, which is how it travels and is stored.</summary>
internal readonly record struct GrainKey(string Text)
{
    public static GrainKey From(Guid key) => new(key.ToString("N"));

    public static GrainKey From(long key) => new(key.ToString(CultureInfo.InvariantCulture));

    public static GrainKey From(string key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        return new GrainKey(key);
    }

    public Guid ToGuid() => Guid.TryParseExact(Text, "N", out var key) ? key : throw NotOfType("Guid");

    public long ToInt64() => long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key) ? key : throw NotOfType("long");

    public override string ToString() => Text;

    private InvalidOperationException NotOfType(string type) => new($"The grain's key '{Text}' is not a {type}.");
}

/// <summary>A grain or a reference to one.</summary>
internal interface IKeyed
{
    GrainKey Key { get; }
}
