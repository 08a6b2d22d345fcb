using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;

namespace CSsl.Silo.Lifecycle;

/// <summary>What a silo could do, whatever it does: to shake hands it needs certificates, to serve data it needs routes.</summary>
/// <param name="Roles">The roles that it may be given.</param>
internal sealed record SiloCapabilities(SiloRoles Roles)
{
    /// <param name="silo">What it starts with it can do.</param>
    /// <param name="hasCertificates">Certificates are configured.</param>
    /// <param name="hasRoutes">Routes are configured.</param>
    public static SiloCapabilities Of(SiloOptions silo, bool hasCertificates, bool hasRoutes)
        => new(silo.Roles | (hasCertificates ? SiloRoles.Handshake : SiloRoles.None) | (hasRoutes ? SiloRoles.Data : SiloRoles.None));
}
