namespace CSsl.Silo.Transport;

/// <summary>Set on every connection that came over a data link: who decrypts it, and how.</summary>
public interface IDecryptedConnectionFeature
{
    /// <summary>The session's id in the cluster.</summary>
    Guid SessionId { get; }

    /// <summary>The silo that serves the session.</summary>
    string SiloName { get; }

    /// <summary>Version and suite for people, such as "TLSv1.3 TLS_AES_128_GCM_SHA256", with " resumed" behind it when the handshake was an abbreviated one.</summary>
    string TlsDescription { get; }
}
