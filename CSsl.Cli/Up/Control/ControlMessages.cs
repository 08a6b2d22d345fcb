using System.Text.Json;

namespace CSsl.Cli.Up.Control;

/// <summary>What <c>cssl silo</c> asks a running <c>cssl up</c> for: one line of JSON on its control socket.</summary>
internal sealed record ControlRequest
{
    public const string Add = "add";
    public const string Remove = "remove";

    /// <summary><see cref="Add"/> or <see cref="Remove"/>.</summary>
    public required string Command { get; init; }

    /// <summary>The silo's name; null lets the cluster choose one (add).</summary>
    public string? Name { get; init; }

    /// <summary>Names of roles, with commas (add).</summary>
    public string? Roles { get; init; }

    /// <summary>Stop it whatever is lost (remove).</summary>
    public bool Force { get; init; }

    /// <summary>How long it may take to drain, in seconds (remove).</summary>
    public double TimeoutSeconds { get; init; } = 60;
}

/// <summary>The answer, one line of JSON.</summary>
internal sealed record ControlAnswer
{
    /// <summary>What was done, or why not.</summary>
    public required string Message { get; init; }

    /// <summary>One of <see cref="Hosting.ExitCodes"/>.</summary>
    public int ExitCode { get; init; }
}

/// <summary>How both are written.</summary>
internal static class ControlJson
{
    /// <summary>The longest line, in bytes.</summary>
    public const int MaxLine = 4096;

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web);
}
