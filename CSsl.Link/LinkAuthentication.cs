using System.Security.Cryptography;
using CSsl.Tls.Keys;

namespace CSsl.Link;

/// <summary>Both ends prove to each other that they know the cluster key, and agree on the keys of the link, before anything else is read or kept.</summary>
/// <remarks>
/// <code>
/// gateway  --- Hello(gateway, key share g, name, cluster) --&gt;   silo       both at once
///          &lt;-- Hello(silo, key share s, name, cluster) -------
///          --- Proof of the gateway -------------------------&gt;             both at once, by LinkKeySchedule
///          &lt;-- Proof of the silo ------------------------------
///          === sealed batches of frames =======================
/// </code>
/// A key share is never used twice, so it is the challenge too: a proof of another link is none on this one. Each end has a proof of its own, and the transcript begins with
/// the gateway's hello whoever computes it, so a proof that is sent back to its maker is none either.
/// </remarks>
internal static class LinkAuthentication
{
    private const int LeastKeyLength = 32;

    /// <param name="transport">Connected.</param>
    /// <param name="self">Which end this is.</param>
    /// <param name="credit">What its channels may be sent.</param>
    /// <param name="identity">Who it is.</param>
    /// <param name="clusterKey">The key that both must know, at least 32 bytes.</param>
    /// <param name="timeout">For all of it.</param>
    /// <param name="time">The clock of that.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The peer, proven.</returns>
    /// <exception cref="LinkException">The peer is not of this cluster, or not in time.</exception>
    /// <exception cref="OperationCanceledException">This end gave up.</exception>
    public static async Task<ProvenPeer> RunAsync(
        Stream transport, LinkEnd self, int credit, LinkIdentity identity, ReadOnlyMemory<byte> clusterKey, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        if (clusterKey.Length < LeastKeyLength)
            throw new ArgumentException($"The cluster key has {clusterKey.Length} bytes; it needs {LeastKeyLength}.", nameof(clusterKey));
        using var timer = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            using var keyPair = X25519KeyPair.Create();
            return await ExchangeAsync(transport, new Hello(self, credit, keyPair.PublicKey, identity), keyPair, clusterKey, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LinkException($"The peer did not prove the cluster key within {timeout.TotalSeconds:0.###} s.", e);
        }
        catch (EndOfStreamException e)
        {
            throw new LinkException("The peer closed the connection before it had proved the cluster key.", e);
        }
        catch (CryptographicException e)
        {
            throw new LinkException($"This end has no key for the link: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new LinkException($"The connection broke before the peer had proved the cluster key: {e.Message}", e);
        }
    }

    private static async Task<ProvenPeer> ExchangeAsync(Stream transport, Hello self, X25519KeyPair keyPair, ReadOnlyMemory<byte> clusterKey, CancellationToken cancellationToken)
    {
        var hello = self.Encode();
        await SendAsync(transport, FrameKind.Hello, hello, cancellationToken);
        var peerHello = await ReceiveAsync(transport, FrameKind.Hello, Hello.MaxLength, cancellationToken);
        var peer = Hello.Decode(peerHello);
        if (peer.End == self.End)
            throw new LinkException($"The peer '{peer.Identity.Name}' is a {EndName(peer.End)}, as this end is: a link is between a gateway and a silo.");
        if (peer.Identity.ClusterId != self.Identity.ClusterId)
            throw new LinkException($"The peer '{peer.Identity.Name}' is of the cluster '{peer.Identity.ClusterId}', this end of '{self.Identity.ClusterId}'.");

        var keys = self.End == LinkEnd.Gateway ? Agree(keyPair, peer, clusterKey.Span, hello, peerHello) : Agree(keyPair, peer, clusterKey.Span, peerHello, hello);
        try
        {
            await SendAsync(transport, FrameKind.Proof, keys.ProofOf(self.End), cancellationToken);
            var proof = await ReceiveAsync(transport, FrameKind.Proof, LinkKeySchedule.SecretLength, cancellationToken);
            if (!CryptographicOperations.FixedTimeEquals(proof, keys.ProofOf(peer.End)))
                throw new LinkException($"The peer '{peer.Identity.Name}' does not know the cluster key.");
            return new ProvenPeer(peer, keys);
        }
        catch
        {
            keys.Dispose();
            throw;
        }
    }

    private static LinkKeySchedule Agree(X25519KeyPair keyPair, Hello peer, ReadOnlySpan<byte> clusterKey, ReadOnlySpan<byte> gatewayHello, ReadOnlySpan<byte> siloHello)
    {
        if (!keyPair.TryAgree(peer.KeyShare.Span, out var shared))
            throw new LinkException($"The peer '{peer.Identity.Name}' sent a key share that shares nothing.");
        using (shared)
            return new LinkKeySchedule(clusterKey, shared.Span, gatewayHello, siloHello);
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

/// <summary>The other end, which knows the cluster key.</summary>
/// <param name="Hello">What it said.</param>
/// <param name="Keys">What both ends derived; wiped with this.</param>
internal sealed record ProvenPeer(Hello Hello, LinkKeySchedule Keys) : IDisposable
{
    public void Dispose() => Keys.Dispose();
}

/// <summary>Who is at an end of a link.</summary>
/// <param name="Name">The process's name in the cluster: 1 to 255 bytes of UTF-8, no control characters.</param>
/// <param name="ClusterId">Both ends must belong to the same cluster; the same limits.</param>
public sealed record LinkIdentity(string Name, string ClusterId);
