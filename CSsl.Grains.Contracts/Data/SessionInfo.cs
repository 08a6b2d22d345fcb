using System.Net.Security;
using CSsl.Tls;
using Orleans;

namespace CSsl.Grains.Data;

/// <summary>Where a session is.</summary>
[GenerateSerializer, Alias("CSsl.SessionState")]
public enum SessionState
{
    /// <summary>A silo serves it.</summary>
    Awake = 0,

    /// <summary>No silo has it: its gateway keeps its socket and its capsule.</summary>
    Asleep,

    /// <summary>Its gateway looks for a silo that goes on with it.</summary>
    Moving,
}

/// <summary>A session of the cluster; nothing in it is secret.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.SessionInfo")]
public sealed record SessionInfo
{
    [Id(0)] public required Guid SessionId { get; init; }

    /// <summary>The gateway that has the client's socket.</summary>
    [Id(1)] public required string Gateway { get; init; }

    /// <summary>The client's address and port.</summary>
    [Id(2)] public required string Client { get; init; }

    /// <summary>What the client called the server (SNI); null when it named none.</summary>
    [Id(3)] public string? ServerName { get; init; }

    /// <summary>What ALPN agreed on; null when nothing.</summary>
    [Id(4)] public string? Protocol { get; init; }

    [Id(5)] public required string Version { get; init; }
    [Id(6)] public required string CipherSuite { get; init; }
    [Id(7)] public SessionState State { get; init; }

    /// <summary>The silo that serves it; null while none does.</summary>
    [Id(8)] public string? Silo { get; init; }

    /// <summary>The end of its handshake.</summary>
    [Id(9)] public required DateTimeOffset EstablishedAt { get; init; }

    /// <summary>When it came to its silo; null while it is at none.</summary>
    [Id(10)] public DateTimeOffset? AttachedAt { get; init; }

    /// <summary>How often a silo went on in the middle of what another had begun.</summary>
    [Id(11)] public int Takeovers { get; init; }

    /// <summary>Bytes of records from the client, since the handshake; 0 where only a silo was asked: gateways count.</summary>
    [Id(12)] public long BytesFromClient { get; init; }

    /// <summary>Bytes of records to the client.</summary>
    [Id(13)] public long BytesToClient { get; init; }

    /// <summary>The number of the attach that it is served under (<c>Attach.Generation</c>); 0 before the first.</summary>
    [Id(14)] public uint Generation { get; init; }

    /// <summary>As <see cref="Version"/> says it.</summary>
    public static string NameOf(TlsVersion version) => version == TlsVersion.Tls13 ? "TLSv1.3" : "TLSv1.2";

    /// <summary>As <see cref="CipherSuite"/> says it: the name in IANA's registry.</summary>
    public static string NameOf(CipherSuite suite) => ((TlsCipherSuite)suite).ToString();
}
