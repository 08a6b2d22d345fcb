using CSsl.Grains.Cluster;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Silo.Handshake;
using CSsl.Silo.Lifecycle;
using CSsl.Silo.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Links;

/// <summary>Makes the silo's end of channels, by what the frame that opens one asks for and what this silo does.</summary>
internal sealed class SiloLinkAcceptor(
    HandshakeLanes lanes,
    ResumptionStore sessions,
    TlsConnectionHost connections,
    SiloStatus status,
    TimeProvider time,
    IOptions<LimitsOptions> limits,
    ILogger<HandshakeLinkChannel> logger) : ILinkAcceptor
{
    /// <inheritdoc/>
    public LinkChannel? Accept(DataLink link, FrameKind kind) => kind switch
    {
        FrameKind.HandshakeStart when status.Takes(SiloRoles.Handshake) => new HandshakeLinkChannel(lanes, sessions, limits.Value.HandshakeTime, time, logger),
        FrameKind.Attach when status.Takes(SiloRoles.Data) => new TlsConnection(connections),
        _ => null,
    };
}
