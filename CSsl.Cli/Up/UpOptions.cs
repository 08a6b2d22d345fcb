namespace CSsl.Cli.Up;

/// <summary>What the command line of <c>cssl up</c> says. Null: the configuration decides.</summary>
internal sealed record UpOptions
{
    /// <summary>host:port for clients.</summary>
    public string? Https { get; init; }

    /// <summary>host:port of the admin endpoint.</summary>
    public string? Admin { get; init; }

    public int Gateways { get; init; } = 1;
    public int HandshakeSilos { get; init; } = 1;
    public int DataSilos { get; init; } = 2;

    /// <summary>The configuration file.</summary>
    public string? Config { get; init; }

    /// <summary>URL of the server behind the cluster.</summary>
    public string? Origin { get; init; }

    public string State { get; init; } = Commands.CommonOptions.DefaultState;

    /// <summary>Start processes again that ended unasked.</summary>
    public bool Restart { get; init; } = true;

    /// <summary>"--Section:Key=value", for every process.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];
}
