namespace CSsl.Tests.Support;

/// <summary>`openssl s_client`: a real client whose handshake can be steered.</summary>
internal static class SClient
{
    /// <summary>A request after which the server closes.</summary>
    public static string Get(string path) => $"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    /// <summary>Arguments to connect to the cluster and check its certificate; quiet when nothing interactive is wanted.</summary>
    public static string[] Arguments(Cluster cluster, int? port = null, params string[] more) =>
        ["s_client", "-connect", $"127.0.0.1:{port ?? cluster.Port}", "-servername", "localhost", "-CAfile", cluster.CertificateAuthority, "-verify_return_error", .. more];

    /// <summary>Connects, sends one GET and reads to the end.</summary>
    public static Task<ToolResult> GetAsync(Cluster cluster, string path, params string[] more)
        => GetAsync(cluster, cluster.Port, path, more);

    /// <summary>The same through a relay.</summary>
    public static Task<ToolResult> GetAsync(Cluster cluster, int port, string path, params string[] more)
        => Tool.RunAsync("openssl", [.. Arguments(cluster, port, more), "-ign_eof"], Get(path));
}
