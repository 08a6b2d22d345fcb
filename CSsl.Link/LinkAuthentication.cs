using System.Security.Cryptography;

namespace CSsl.Link;

/// <summary>Both ends prove to each other that they know the cluster key, before anything else is read or kept.</summary>
/// <remarks>
/// <code>
/// gateway  --- Hello(gateway, nonce g, name, cluster) --&gt;   silo       both at once
///          &lt;-- Hello(silo, nonce s, name, cluster) -------
///          --- Proof = HMAC(key "gateway", T) -----------&gt;             both at once, T = gateway's Hello | silo's Hello
///          &lt;-- Proof = HMAC(key "silo", T) ---------------
/// </code>
/// Each direction has its own key (HKDF-SHA256 of the cluster key, the end in the label), and T begins with the gateway's hello whoever
/// computes it: a proof that is sent back to its maker, or replayed, is no proof. The hellos' lengths are inside them, so T has one reading.
/// </remarks>
internal static class LinkAuthentication
{
    private const int KeyLength = 32;

    /// <returns>The peer's hello, proven.</returns>
    /// <exception cref="LinkException">The peer is not of this cluster, or not in time.</exception>
    /// <exception cref="OperationCanceledException">This end gave up.</exception>
    public static async Task<Hello> RunAsync(Stream transport, Hello self, ReadOnlyMemory<byte> clusterKey, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        if (clusterKey.Length < KeyLength)
            throw new ArgumentException($"The cluster key has {clusterKey.Length} bytes; it needs {KeyLength}.", nameof(clusterKey));
        using var timer = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await ExchangeAsync(transport, self, clusterKey, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LinkException($"The peer did not prove the cluster key within {timeout.TotalSeconds:0.###} s.", e);
        }
        catch (EndOfStreamException e)
        {
            throw new LinkException("The peer closed the connection before it had proved the cluster key.", e);
        }
        catch (IOException e)
        {
            throw new LinkException($"The connection broke before the peer had proved the cluster key: {e.Message}", e);
        }
    }

    private static async Task<Hello> ExchangeAsync(Stream transport, Hello self, ReadOnlyMemory<byte> clusterKey, CancellationToken cancellationToken)
    {
        var hello = self.Encode();
        await SendAsync(transport, FrameKind.Hello, hello, cancellationToken);
        var peerHello = await ReceiveAsync(transport, FrameKind.Hello, Hello.MaxLength, cancellationToken);
        var peer = Hello.Decode(peerHello);
        if (peer.End == self.End)
            throw new LinkException($"The peer '{peer.Identity.Name}' is a {EndName(peer.End)}, as this end is: a link is between a gateway and a silo.");
        if (peer.Identity.ClusterId != self.Identity.ClusterId)
            throw new LinkException($"The peer '{peer.Identity.Name}' is of the cluster '{peer.Identity.ClusterId}', this end of '{self.Identity.ClusterId}'.");

        byte[] transcript = self.End == LinkEnd.Gateway ? [.. hello, .. peerHello] : [.. peerHello, .. hello];
        await SendAsync(transport, FrameKind.Proof, Prove(clusterKey.Span, self.End, transcript), cancellationToken);
        var proof = await ReceiveAsync(transport, FrameKind.Proof, HMACSHA256.HashSizeInBytes, cancellationToken);
        if (!CryptographicOperations.FixedTimeEquals(proof, Prove(clusterKey.Span, peer.End, transcript)))
            throw new LinkException($"The peer '{peer.Identity.Name}' does not know the cluster key.");
        return peer;
    }

    private static byte[] Prove(ReadOnlySpan<byte> clusterKey, LinkEnd prover, ReadOnlySpan<byte> transcript)
    {
        Span<byte> key = stackalloc byte[KeyLength];
        var label = prover == LinkEnd.Gateway ? "cssl link 1 proof gateway"u8 : "cssl link 1 proof silo"u8;
        HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterKey, key, salt: [], info: label);
        var proof = HMACSHA256.HashData(key, transcript);
        CryptographicOperations.ZeroMemory(key);
        return proof;
    }

    private static async Task SendAsync(Stream transport, FrameKind kind, byte[] payload, CancellationToken cancellationToken)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, 0, kind).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        await transport.WriteAsync(frame, cancellationToken);
    }

    // Reads exactly one frame: what follows the proof is the link's.
    private static async Task<byte[]> ReceiveAsync(Stream transport, FrameKind kind, int maxPayload, CancellationToken cancellationToken)
    {
        var bytes = new byte[FrameHeader.Size];
        await transport.ReadExactlyAsync(bytes, cancellationToken);
        var header = FrameHeader.Read(bytes, maxPayload);
        if (header.Kind != kind || header.Channel != 0)
            throw new LinkException($"The peer sent a frame of kind {(byte)header.Kind} where {kind} was expected.");
        var payload = new byte[header.Length];
        await transport.ReadExactlyAsync(payload, cancellationToken);
        return payload;
    }

    private static string EndName(LinkEnd end) => end == LinkEnd.Gateway ? "gateway" : "silo";
}

/// <summary>Who is at an end of a link.</summary>
/// <param name="Name">The process's name in the cluster: 1 to 255 bytes of UTF-8, no control characters.</param>
/// <param name="ClusterId">Both ends must belong to the same cluster; the same limits.</param>
public sealed record LinkIdentity(string Name, string ClusterId);
