using CSsl.Link;
using CSsl.Tls.Engines;

namespace CSsl.Hosting.Configuration;

/// <summary>The whole configuration, bound: the root of cssl.json. Its public properties are the schema: a key that is not here is an error.</summary>
/// <remarks>The sections <c>ReverseProxy</c> and <c>Logging</c> are passed through to YARP and to the logging framework.</remarks>
public sealed class CsslSettings
{
    public ClusterOptions Cluster { get; set; } = new();
    public GatewayOptions Gateway { get; set; } = new();
    public SiloOptions Silo { get; set; } = new();
    public AdminOptions Admin { get; set; } = new();
    public IReadOnlyList<CertificateOptions> Certificates { get; set; } = [];
    public LimitsOptions Limits { get; set; } = new();
    public ResumptionOptions Resumption { get; set; } = new();
    public LinkOptions Link { get; set; } = new();
    public AggregationOptions Aggregation { get; set; } = new();
    public EngineChoice Engine { get; set; } = EngineChoice.Auto;

    /// <summary>Stop when standard input ends, and leave SIGINT to the parent. <c>cssl up</c> sets it for its children, so that none outlives it.</summary>
    public bool WatchParent { get; set; }
}
