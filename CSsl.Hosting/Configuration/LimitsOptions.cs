using System.ComponentModel.DataAnnotations;

namespace CSsl.Hosting.Configuration;

/// <summary>Section <c>Limits</c>: what a client may take of a gateway and a silo.</summary>
public sealed class LimitsOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Limits";

    /// <summary>From the accept to the end of the handshake; then the connection is closed.</summary>
    public TimeSpan HandshakeTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>From the accept to the client's first byte.</summary>
    public TimeSpan FirstByteTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of records that a client may send in its whole handshake. The default is enough for the longest ClientHello (131,400 bytes), twice because of a
    /// HelloRetryRequest, in records of one byte each.</summary>
    [Range(1, int.MaxValue)]
    public int HandshakeBytes { get; set; } = 2 * 1024 * 1024;

    /// <summary>Bytes that the ClientHellos of all handshakes under way may take in one gateway, beyond 4 KiB each; a client whose hello does not fit is refused.</summary>
    [Range(0, int.MaxValue)]
    public int HelloMemory { get; set; } = 128 * 1024 * 1024;

    /// <summary>Handshakes under way at once in one gateway, at most: it has fewer while the handshake silos are slow to answer. More wait.</summary>
    [Range(1, int.MaxValue)]
    public int ConcurrentHandshakes { get; set; } = 10_000;

    /// <summary>Clients that may wait for their handshake; one more drives out the one that has waited longest. 0: nobody waits.</summary>
    [Range(0, 1_000_000)]
    public int HandshakeQueue { get; set; } = 10_000;

    /// <summary>How long a client may wait for its handshake; then it is refused.</summary>
    public TimeSpan HandshakeQueueTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Handshakes that a gateway still begins per second for each core while all cores are in use, its own or the data silos': the more of them, the less is left for what is
    /// established. 0: no limit.</summary>
    [Range(0, 1_000_000)]
    public int HandshakesPerFullCore { get; set; } = 200;

    /// <summary>Connections per second from one IPv4 address, or one /64 of IPv6; more are reset as they are accepted. 0: no limit.</summary>
    [Range(0, 1_000_000)]
    public int SourceHandshakeRate { get; set; }

    /// <summary>Connections that such a source may open at once.</summary>
    [Range(1, 1_000_000)]
    public int SourceHandshakeBurst { get; set; } = 100;

    /// <summary>Client connections at once at one gateway, at most: it has fewer where the process may not open so many files. More wait to be accepted, and idle ones make room.</summary>
    [Range(1, int.MaxValue)]
    public int Connections { get; set; } = 100_000;

    /// <summary>File descriptors of the process that no connection of a client, to an origin, or at the link port may take. 0: 384, and a sixteenth of all.</summary>
    [Range(0, int.MaxValue)]
    public int DescriptorReserve { get; set; }

    /// <summary>Connections to origins at once from one silo, at most, idle ones included. 0: as many as the process may open.</summary>
    [Range(0, int.MaxValue)]
    public int OriginConnections { get; set; }

    /// <summary>How long a request waits for such a connection; then it is answered with 503.</summary>
    public TimeSpan OriginQueueTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections at once at one silo's link port, at most; more wait to be accepted. 0: as many as the process may open.</summary>
    [Range(0, int.MaxValue)]
    public int Links { get; set; }

    /// <summary>Bytes of records of one client that the gateway keeps for another silo, until its request is answered; a longer request can't be replayed. 0 keeps nothing.</summary>
    [Range(0, 16 * 1024 * 1024)]
    public int ReplayBuffer { get; set; } = 256 * 1024;

    /// <summary>Silos in a row that may take a connection over without a step forward; then it is reset, so that a request which kills silos does not kill them all.</summary>
    [Range(0, 100)]
    public int Takeovers { get; set; } = 3;

    /// <summary>From the loss of a silo, or the want of one, or the word to a silo that it is to serve, until one does; then the connection is reset.</summary>
    public TimeSpan TakeoverTime { get; set; } = TimeSpan.FromSeconds(5);
}
