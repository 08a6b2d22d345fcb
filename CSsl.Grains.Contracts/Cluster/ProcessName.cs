namespace CSsl.Grains.Cluster;

/// <summary>What silos and gateways may be called: their names are keys in the cluster view, in orders, in metrics and in the log.</summary>
public static class ProcessName
{
    /// <summary>The longest, in characters.</summary>
    public const int MaxLength = 64;

    /// <summary>The rule, for messages.</summary>
    public static string Rule { get; } = $"1 to {MaxLength} letters, digits, '-', '_' or '.'";

    /// <summary>True for a name that keeps to <see cref="Rule"/>.</summary>
    public static bool IsValid(string? name)
        => name is { Length: > 0 and <= MaxLength } && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
