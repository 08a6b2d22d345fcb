using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>What is said of a message beside its body. All of it is under the MAC.</summary>
/// <param name="Path">The operation.</param>
/// <param name="To">The silo that it is for: a message to one run of a silo is worth nothing to the next, or to another.</param>
/// <param name="View">The membership version that the sender knows.</param>
/// <param name="Time">Unix time in milliseconds.</param>
/// <param name="Nonce">Never used twice.</param>
internal sealed record MessageHeader(string Path, string To, long View, long Time, Guid Nonce);

/// <summary>
/// Proves knowledge of the cluster key, both ways, without sending it:
/// <code>
/// key      = HKDF-SHA256(cluster key, info = "cssl embedded cluster 1\n" + cluster id)
/// request  = HMAC-SHA256(key, "request\nPOST\n{path}\n{to}\n{view}\n{time}\n{nonce}\n" + SHA-256(body))
/// response = HMAC-SHA256(key, "response\n{status}\n{request MAC in hex}\n" + SHA-256(body))
/// </code>
/// Messages are authentic, not secret: nothing that a grain call carries is.
/// </summary>
internal sealed class ClusterAuthenticator : IDisposable
{
    private readonly byte[] _key;

    public ClusterAuthenticator(ReadOnlySpan<byte> clusterKey, string clusterId)
    {
        _key = GC.AllocateArray<byte>(32, pinned: true);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterKey, _key, salt: [], info: Encoding.UTF8.GetBytes("cssl embedded cluster 1\n" + clusterId));
    }

    public string SignRequest(MessageHeader header, ReadOnlySpan<byte> body)
        => Sign(string.Create(CultureInfo.InvariantCulture, $"request\nPOST\n{header.Path}\n{header.To}\n{header.View}\n{header.Time}\n{header.Nonce:N}\n"), body);

    /// <summary>The MAC of an answer, which is good for this one request only.</summary>
    public string SignResponse(int status, string requestMac, ReadOnlySpan<byte> body)
        => Sign(string.Create(CultureInfo.InvariantCulture, $"response\n{status}\n{requestMac}\n"), body);

    /// <summary>Compares in constant time.</summary>
    public static bool Matches(string expected, string? presented)
        => presented is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(presented));

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);

    private string Sign(string text, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hmac.AppendData(Encoding.UTF8.GetBytes(text));
        hmac.AppendData(SHA256.HashData(body));
        return Convert.ToHexString(hmac.GetHashAndReset());
    }
}
