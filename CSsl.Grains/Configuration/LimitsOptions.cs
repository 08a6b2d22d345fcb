using System.ComponentModel.DataAnnotations;

namespace CSsl.Grains.Configuration;

/// <summary>Section <c>Limits</c>: what a client may take of a gateway and a silo.</summary>
public sealed class LimitsOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Limits";

    /// <summary>From the accept to the end of the handshake; then the connection is closed.</summary>
    public TimeSpan HandshakeTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>From the accept to the client's first byte.</summary>
    public TimeSpan FirstByteTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of records that a client may send in its whole handshake.</summary>
    [Range(1, int.MaxValue)]
    public int HandshakeBytes { get; set; } = 64 * 1024;

    /// <summary>Handshakes under way at once in one gateway; more are refused.</summary>
    [Range(1, int.MaxValue)]
    public int ConcurrentHandshakes { get; set; } = 10_000;

    /// <summary>Client connections at once at one gateway; more are closed as they are accepted.</summary>
    [Range(1, int.MaxValue)]
    public int Connections { get; set; } = 100_000;
}
