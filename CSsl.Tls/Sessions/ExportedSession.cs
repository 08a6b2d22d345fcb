namespace CSsl.Tls.Sessions;

/// <summary>Everything that the data phase of one connection needs: what the paper calls STRUCT_OBJ. Secrets are wiped on dispose.</summary>
public sealed class ExportedSession : IDisposable
{
    // What a sequence number can never reach under one key (KeyUsageLimit).
    private const int TakeoverShift = 48;

    private ulong _explicitNonceBase;

    public required TlsVersion Version { get; init; }
    public required CipherSuite CipherSuite { get; init; }

    /// <summary>TLS 1.3: client_application_traffic_secret_N. TLS 1.2: the 48-byte master secret.</summary>
    public required SecretBytes ClientSecret { get; init; }

    /// <summary>TLS 1.3: server_application_traffic_secret_N. TLS 1.2: empty.</summary>
    public SecretBytes ServerSecret { get; init; } = SecretBytes.Empty;

    /// <summary>TLS 1.3: exporter_master_secret. TLS 1.2: empty (the exporter uses the master secret).</summary>
    public SecretBytes ExporterSecret { get; init; } = SecretBytes.Empty;

    /// <summary>TLS 1.2: client_random and server_random, 32 bytes each; empty in TLS 1.3.</summary>
    public byte[] ClientRandom { get; init; } = [];

    public byte[] ServerRandom { get; init; } = [];

    /// <summary>Number of the next record from the client: records since the handshake, never restarting.</summary>
    public ulong ClientSequence { get; set; }

    /// <summary>Number of the next record to the client.</summary>
    public ulong ServerSequence { get; set; }

    /// <summary>Number of the first record under <see cref="ClientSecret"/>: TLS sequence number = record number - key base. 0 before the first KeyUpdate.</summary>
    public ulong ClientKeyBase { get; init; }

    /// <summary>Number of the first record under <see cref="ServerSecret"/>.</summary>
    public ulong ServerKeyBase { get; init; }

    /// <summary>TLS 1.2 GCM: the explicit nonce of sequence number 0 (N0); record n uses N0 + n.</summary>
    public ulong ExplicitNonceBase { get => _explicitNonceBase; init => _explicitNonceBase = value; }

    /// <summary>CBC suites: RFC 7366 encrypt_then_mac was negotiated.</summary>
    public bool EncryptThenMac { get; init; }

    /// <summary>The most plaintext bytes in a record to the client: 2^14 or what max_fragment_length or record_size_limit says.</summary>
    public int FragmentLimit { get; init; } = 1 << 14;

    /// <summary>The negotiated application protocol ("h2", "http/1.1"), or null.</summary>
    public string? ApplicationProtocol { get; init; }

    public string? ServerName { get; init; }

    /// <summary>The client's certificate in DER, or empty.</summary>
    public byte[] PeerCertificate { get; init; } = [];

    /// <summary>TLS 1.2: the id under which the client can resume the session later; empty without one. Not secret.</summary>
    public byte[] ResumptionId { get; init; } = [];

    /// <summary>True when the handshake resumed an earlier session.</summary>
    public bool Resumed { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The silo that may take the session right after its handshake without asking anybody; null: none.</summary>
    public string? DataSilo { get; set; }

    /// <summary>When it was last sealed, by the clock of whoever sealed it (<see cref="SessionCapsule.Seal(Sealer, ExportedSession, Guid)"/> sets it).</summary>
    public DateTimeOffset SealedAt { get; set; }

    /// <summary>After an end that wrote was lost: nonces that it may have used and nobody counted are not used again. TLS 1.2 GCM moves on by 2^48 explicit
    /// nonces for each time; TLS 1.3 needs a KeyUpdate instead, and CBC's random IVs nothing.</summary>
    /// <param name="takeovers">How often that happened to the connection in all. Call once, on a session as it was sealed.</param>
    public void SkipNonces(ushort takeovers)
    {
        if (Version == TlsVersion.Tls12 && CipherSuiteInfo.Get(CipherSuite).Kind == CipherKind.AesGcm)
            _explicitNonceBase = unchecked(_explicitNonceBase + ((ulong)takeovers << TakeoverShift));
    }

    public void Dispose()
    {
        ClientSecret.Dispose();
        ServerSecret.Dispose();
        ExporterSecret.Dispose();
    }
}
