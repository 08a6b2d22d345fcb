using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace CSsl.Tests.Support;

/// <summary>.NET's own HTTP client, which trusts the cluster's development CA only.</summary>
internal static class Web
{
    /// <summary>A client of its own connections.</summary>
    public static HttpClient Client(Cluster cluster, Version? version = null) => new(Handler(cluster))
    {
        BaseAddress = cluster.Address,
        DefaultRequestVersion = version ?? HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>For clients that bring their own request types (WebSocket).</summary>
    public static SocketsHttpHandler Handler(Cluster cluster) => new() { SslOptions = Trusting(cluster) };

    /// <summary>TLS options that accept the cluster's CA and nothing else.</summary>
    public static SslClientAuthenticationOptions Trusting(Cluster cluster) => new()
    {
        TargetHost = "localhost",
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(cluster.CertificateAuthority) },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    };
}
