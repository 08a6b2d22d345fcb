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
internal sealed class ClusterPlan : IDisposable
{
    private const string NoCertificates = $"--{CertificateOptions.Section}=";
    private const string KeyFile = "Cluster:KeyFile";
    private const string SealingKeyFile = "Cluster:SealingKeyFile";
    private const string Database = "Cluster:Database";
    private const string NoSealingKey = $"--{SealingKeyFile}=";

    private readonly UpOptions _options;
    private readonly LoadedConfiguration _configuration;
    private readonly StateFolder _state;

    /// <summary>Ports that were picked; held until the cluster has ended, so that a process that is started again finds its own.</summary>
    private readonly List<HeldPort> _held = [];
    private IPEndPoint? _origin;

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
        if (NeedsOrigin)
            _origin = HostPort.Parse(Choose("127.0.0.1:0"));
    }

    /// <inheritdoc/>
    public void Dispose() => _held.ForEach(static port => port.Dispose());

    private string Choose(string address)
    {
        var endpoint = HostPort.Parse(address);
        if (endpoint.Port != 0)
        {
            FreePort.Require(endpoint);
            return address;
        }

        var port = FreePort.Hold(endpoint);
        _held.Add(port);
        return port.EndPoint.ToString();
    }

    /// <summary>Asks this cluster whether it serves.</summary>
    public ReadyProbe CreateProbe() => new(HostPort.Parse(Https[0]), HostPort.Parse(Admin), UsesDevelopmentCertificates ? _state.Certificates.AuthorityCertificate : null);

    /// <summary>The sample origin; null when it is not needed. After <see cref="ChoosePorts"/>.</summary>
    public ChildSpec? Origin => _origin is { Port: var port }
        ? new("origin", "CSsl.Cli.dll", StopStage.Origin, ["origin", "--port", $"{port}", .. Configuration(), "--WatchParent=true"])
        : null;

    /// <summary>Its port.</summary>
    public int? OriginPort => _origin?.Port;

    private string? OriginUrl => _origin is { } origin ? $"http://{origin}/" : null;

    /// <summary>The gateways and the silos.</summary>
    public IReadOnlyList<ChildSpec> Processes() =>
    [
        .. Enumerable.Range(1, _options.HandshakeSilos).Select(number => Silo($"handshake-{number}", SiloRoles.Handshake)),
        .. Enumerable.Range(1, _options.DataSilos).Select(number => Silo($"data-{number}", SiloRoles.Data)),
        .. Admins.Select((admin, i) => Gateway($"gateway-{i + 1}", admin)),
    ];

    /// <summary>What <c>cssl serve</c> adds to the configuration: one process with every part.</summary>
    public IReadOnlyList<string> SingleProcess() =>
    [
        .. Common(),
        .. Default(SealingKeyFile, _state.SealingKey),
        .. Certificates(),
        .. ReverseProxy(_options.Origin ?? OriginUrl),
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
        $"--Gateway:Supervisor={_state.ControlSocket}",
        "--WatchParent=true",
    ])
    {
        StopTime = CsslHost.StopTime(_configuration.Settings.Gateway.DrainTime),
    };

    /// <summary>A silo.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="roles">What it starts with.</param>
    public ChildSpec Silo(string name, SiloRoles roles) => new(name, "CSsl.Silo.dll", StopStage.Silo,
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
        .. ReverseProxy(_options.Origin ?? OriginUrl),
        "--WatchParent=true",
    ])
    {
        StopTime = CsslHost.StopTime(_configuration.Settings.Silo.DrainTime),
    };

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
