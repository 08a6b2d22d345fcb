using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>The capsule: an <see cref="ExportedSession"/> in its <see cref="ExportedSessionCodec"/> form, sealed and bound to the session's id.</summary>
public static class SessionCapsule
{
    private const int SessionIdLength = 16;

    /// <summary>What a capsule is sealed as.</summary>
    public static SealingPurpose Purpose { get; } = new("c-ssl capsule 1", ExportedSessionCodec.MaxEncodedLength);

    /// <summary>Consumes <paramref name="session"/>: it is disposed whatever happens.</summary>
    /// <param name="sealer">The silo's.</param>
    /// <param name="session">The session to seal.</param>
    /// <param name="sessionId">Bound to the capsule: it opens under this id only.</param>
    /// <exception cref="ArgumentException">The session is not one that <see cref="ExportedSessionCodec"/> can encode.</exception>
    public static byte[] Seal(this Sealer sealer, ExportedSession session, Guid sessionId)
    {
        ArgumentNullException.ThrowIfNull(session);
        using (session)
        {
            session.SealedAt = sealer.Time.GetUtcNow();
            using var encoded = ExportedSessionCodec.Encode(session);
            return sealer.Seal(Purpose, encoded.Span, sessionId);
        }
    }

    /// <summary>Opens a capsule; the caller disposes the session, and judges <see cref="ExportedSession.SealedAt"/>.</summary>
    /// <exception cref="SealedSessionException">See <see cref="Sealer.Open"/>; or an unknown codec version.</exception>
    public static ExportedSession Open(this Sealer sealer, ReadOnlySpan<byte> capsule, Guid sessionId)
    {
        using var encoded = sealer.Open(Purpose, capsule, sessionId);
        return ExportedSessionCodec.Decode(encoded.Span);
    }

    /// <summary>Whether a capsule is sealed under the key of that name, which is known without any key; false also for what is no capsule.</summary>
    /// <param name="capsule">Sealed.</param>
    /// <param name="keyName">As in <see cref="ClusterKeyRing.KeyNames"/>; of two keys with one id, either.</param>
    public static bool IsSealedUnder(ReadOnlySpan<byte> capsule, string keyName)
        => Sealer.TryGetKeyId(capsule, out var keyId) && Ascii.Equals(keyId, keyName.AsSpan(0, keyName.LastIndexOf('#')));

    /// <summary>Seals something that is bound to a session.</summary>
    public static byte[] Seal(this Sealer sealer, SealingPurpose purpose, ReadOnlySpan<byte> content, Guid sessionId)
    {
        ArgumentNullException.ThrowIfNull(sealer);
        Span<byte> id = stackalloc byte[SessionIdLength];
        sessionId.TryWriteBytes(id, bigEndian: true, out _);
        return sealer.Seal(purpose, content, id);
    }

    /// <summary>Opens something that is bound to a session.</summary>
    /// <exception cref="SealedSessionException">See <see cref="Sealer.Open"/>.</exception>
    public static SecretBytes Open(this Sealer sealer, SealingPurpose purpose, ReadOnlySpan<byte> box, Guid sessionId)
    {
        ArgumentNullException.ThrowIfNull(sealer);
        Span<byte> id = stackalloc byte[SessionIdLength];
        sessionId.TryWriteBytes(id, bigEndian: true, out _);
        return sealer.Open(purpose, box, id);
    }
}
