namespace CSsl.Hosting.Configuration;

/// <summary>Section <c>Gateway</c>: one gateway process.</summary>
public sealed class GatewayOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Gateway";

    /// <summary>The gateway's name in the cluster.</summary>
    [ProcessName]
    public string Name { get; set; } = "gateway";

    /// <summary>Addresses ("host:port") on which clients connect with TLS. Empty means <see cref="DefaultListen"/>.</summary>
    [HostPort]
    public IReadOnlyList<string> Listen { get; set; } = [];

    /// <summary>Address of the admin endpoint (/status, /metrics, /livez, /readyz, /healthz). Plain HTTP: keep it on loopback.</summary>
    [HostPort]
    public string Admin { get; set; } = "127.0.0.1:9443";

    /// <summary>True: other gateways may listen on the same addresses, and the kernel spreads the clients over them (SO_REUSEPORT, Linux). Not for <see cref="Admin"/>.</summary>
    public bool ReusePort { get; set; }

    /// <summary>Unix socket of the <c>cssl up</c> that started this gateway, which it tells whoever asks its admin endpoint for (/supervisor); null: none did.</summary>
    [FilePath]
    public string? Supervisor { get; set; }

    /// <summary>How long connections may go on after SIGTERM before they are reset.</summary>
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Where clients connect when <see cref="Listen"/> says nothing.</summary>
    public const string DefaultListen = "127.0.0.1:8443";
}
