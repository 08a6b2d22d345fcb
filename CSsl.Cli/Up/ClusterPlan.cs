using System.Net;
using CSsl.Cli.Certificates;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Up;

/// <summary>
/// Which processes a local cluster has, and what each is told beyond the common configuration. What the configuration says is left alone;
/// what it leaves open comes from the state folder. Nobody gets a key that is not its business: gateways no sealing key and no certificate. Every silo is told
/// where certificates and routes are, because roles change at run time; it reads the certificates' keys only while it has the handshake role.
/// </summary>
internal sealed class ClusterPlan
{
    private const string NoCertificates = $"--{CertificateOptions.Section}=";
    private const string KeyFile = "Cluster:KeyFile";
    private const string SealingKeyFile = "Cluster:SealingKeyFile";
    private const string Database = "Cluster:Database";
    private const string NoSealingKey = $"--{SealingKeyFile}=";

    private readonly UpOptions _options;
    private readonly LoadedConfiguration _configuration;
    private readonly StateFolder _state;

    public ClusterPlan(UpOptions options, LoadedConfiguration configuration, StateFolder state)
    {
        _options = options;
        _configuration = configuration;
        _state = state;
        Https = options.Https is not null ? [options.Https]
            : configuration.IsSet("Gateway:Listen") ? configuration.Settings.Gateway.Listen
            : [GatewayOptions.DefaultListen];
        var admin = HostPort.Parse(options.Admin ?? configuration.Settings.Gateway.Admin);
        Admins = [.. Enumerable.Range(0, options.Gateways).Select(number => new IPEndPoint(admin.Address, admin.Port == 0 ? 0 : admin.Port + number).ToString())];
    }

    /// <summary>Where clients connect.</summary>
    public IReadOnlyList<string> Https { get; private set; }

    /// <summary>The gateways' admin endpoints: the first where it was asked for, each of the others on the next port.</summary>
    public IReadOnlyList<string> Admins { get; private set; }

    /// <summary>The first gateway's admin endpoint.</summary>
    public string Admin => Admins[0];

    /// <summary>Nothing says where requests go: the sample origin is to serve them.</summary>
    public bool NeedsOrigin => _options.Origin is null && !_configuration.IsSet("ReverseProxy");

    /// <summary>The certificates are those of the state folder.</summary>
    public bool UsesDevelopmentCertificates => !_configuration.IsSet(CertificateOptions.Section);

    /// <summary>The configuration leaves something open that the state folder has.</summary>
    public bool NeedsState => UsesDevelopmentCertificates || !_configuration.IsSet(KeyFile) || !_configuration.IsSet(SealingKeyFile) || !_configuration.IsSet(Database);

    /// <summary>Makes the keys and certificates that are used.</summary>
    public void EnsureKeys()
    {
        _state.EnsureKeys();
        if (UsesDevelopmentCertificates)
            _state.Certificates.Ensure();
    }

    /// <summary>Makes sure that the gateway can listen where it is to, and picks ports where 0 was asked for.</summary>
    /// <exception cref="InUseException">A port is taken: says by whom.</exception>
    /// <exception cref="ConfigurationException">This machine can't listen there.</exception>
    public void ChoosePorts()
    {
        Https = [.. Https.Select(Choose)];
        Admins = [.. Admins.Select(Choose)];

        static string Choose(string address)
        {
            var endpoint = FreePort.Require(HostPort.Parse(address));
            return HostPort.Parse(address).Port == 0 ? endpoint.ToString() : address;
        }
    }

    /// <summary>Asks this cluster whether it serves.</summary>
    public ReadyProbe CreateProbe() => new(HostPort.Parse(Https[0]), HostPort.Parse(Admin), UsesDevelopmentCertificates ? _state.Certificates.AuthorityCertificate : null);

    /// <summary>The sample origin, on a port that it picks, or on the one that it had before.</summary>
    public ChildSpec Origin(int port) => new("origin", "CSsl.Cli.dll", StopStage.Origin, ["origin", "--port", $"{port}", .. Configuration(), "--WatchParent=true"]);

    /// <summary>The gateways and the silos.</summary>
    /// <param name="origin">URL of the sample origin; null when it is not needed.</param>
    public IReadOnlyList<ChildSpec> Processes(string? origin) =>
    [
        .. Enumerable.Range(1, _options.HandshakeSilos).Select(number => Silo($"handshake-{number}", SiloRoles.Handshake, origin)),
        .. Enumerable.Range(1, _options.DataSilos).Select(number => Silo($"data-{number}", SiloRoles.Data, origin)),
        .. Admins.Select((admin, i) => Gateway($"gateway-{i + 1}", admin)),
    ];

    /// <summary>What <c>cssl serve</c> adds to the configuration: one process with every part.</summary>
    /// <param name="origin">URL of the sample origin; null when it is not needed.</param>
    public IReadOnlyList<string> SingleProcess(string? origin) =>
    [
        .. Common(),
        .. Default(SealingKeyFile, _state.SealingKey),
        .. Certificates(),
        .. ReverseProxy(_options.Origin ?? origin),
        .. Listeners(Admin),
    ];

    private ChildSpec Gateway(string name, string admin) => new(name, "CSsl.Gateway.dll", StopStage.Gateway,
    [
        .. Common(),
        NoSealingKey,
        NoCertificates,
        $"--Gateway:Name={name}",
        .. Listeners(admin),
        .. _options.Gateways > 1 ? ["--Gateway:ReusePort=true"] : Array.Empty<string>(),
        "--WatchParent=true",
    ]);

    /// <summary>A silo.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="roles">What it starts with.</param>
    /// <param name="origin">URL of the sample origin; null when it is not needed.</param>
    public ChildSpec Silo(string name, SiloRoles roles, string? origin) => new(name, "CSsl.Silo.dll", StopStage.Silo,
    [
        .. Common(),
        .. Default(SealingKeyFile, _state.SealingKey),
        $"--Silo:Name={name}",
        $"--Silo:Roles={roles}",

        // Several silos share one configuration on one machine: fixed ports would collide.
        "--Silo:Link=127.0.0.1:0",
        "--Silo:Grains=127.0.0.1:0",
        "--Silo:Admin=127.0.0.1:0",
        .. Certificates(),
        .. ReverseProxy(_options.Origin ?? origin),
        "--WatchParent=true",
    ]);

    private IEnumerable<string> Configuration() => _configuration.File is { } file ? ["--config", file, .. _options.Settings] : _options.Settings;

    private IEnumerable<string> Common() =>
    [
        .. Configuration(),
        .. Default(KeyFile, _state.ClusterKey),
        .. Default(Database, _state.Database),
    ];

    private IEnumerable<string> Listeners(string admin)
    {
        yield return $"--Gateway:Listen={string.Join(',', Https)}";
        yield return $"--Gateway:Admin={admin}";
    }

    private IEnumerable<string> Certificates()
    {
        if (!UsesDevelopmentCertificates)
            return [];

        var files = _state.Certificates;
        var names = string.Join(',', DevelopmentCertificates.HostNames);
        return
        [
            $"--Certificates:0:Names={names}",
            $"--Certificates:0:Certificate={files.RsaCertificate}",
            $"--Certificates:0:Key={files.RsaKey}",
            $"--Certificates:1:Names={names}",
            $"--Certificates:1:Certificate={files.EcdsaCertificate}",
            $"--Certificates:1:Key={files.EcdsaKey}",
        ];
    }

    private static IEnumerable<string> ReverseProxy(string? origin) => origin is null ? [] :
    [
        "--ReverseProxy=",
        "--ReverseProxy:Routes:all:ClusterId=origin",
        "--ReverseProxy:Routes:all:Match:Path={**path}",
        $"--ReverseProxy:Clusters:origin:Destinations:origin:Address={origin}",
    ];

    private IEnumerable<string> Default(string key, string value) => _configuration.IsSet(key) ? [] : [$"--{key}={value}"];
}
