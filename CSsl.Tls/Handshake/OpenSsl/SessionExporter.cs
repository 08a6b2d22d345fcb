using System.Text;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>Reads everything that the data phase needs out of an SSL whose handshake is complete.</summary>
internal static unsafe class SessionExporter
{
    private const int MasterSecretLength = 48;
    private const int RandomLength = 32;
    private const int MaxFragmentLength = 1 << 14;

    /// <param name="ssl">Its handshake is complete.</param>
    /// <param name="state">Its key log, given away with TLS 1.3, and what session ids are made under.</param>
    /// <param name="clientFlight">The records that it read.</param>
    /// <param name="flight">The records that it wrote.</param>
    /// <param name="serverName">The name by which the certificate was chosen.</param>
    /// <param name="now">Creation time of the session.</param>
    /// <exception cref="InvalidOperationException">OpenSSL lacks something that a complete handshake has.</exception>
    public static ExportedSession Export(
        SafeSslHandle ssl, CallbackState state, in ClientFlight clientFlight, in ServerFlight flight, string? serverName, DateTimeOffset now)
    {
        var suite = (CipherSuite)LibSsl.SSL_CIPHER_get_protocol_id(LibSsl.SSL_get_current_cipher(ssl));
        var openSslSession = LibSsl.SSL_get_session(ssl);
        if (openSslSession == 0)
            throw new InvalidOperationException("OpenSSL has no session.");

        var tls13 = LibSsl.SSL_version(ssl) == (int)TlsVersion.Tls13;
        var (client, server, exporter) = tls13 ? state.Secrets.Take() : (MasterSecret(openSslSession), SecretBytes.Empty, SecretBytes.Empty);
        var session = new ExportedSession
        {
            Version = tls13 ? TlsVersion.Tls13 : TlsVersion.Tls12,
            CipherSuite = suite,
            ClientSecret = client,
            ServerSecret = server,
            ExporterSecret = exporter,
            ClientRandom = tls13 ? [] : ClientRandom(ssl),
            ServerRandom = tls13 ? [] : ServerRandom(ssl),

            // TLS 1.3: application keys start at 0, and the server's sealed the tickets. TLS 1.2: OpenSSL's Finished was record 0 of its side.
            ClientSequence = tls13 ? 0u : clientFlight.ProtectedRecords,
            ServerSequence = tls13 ? (ulong)flight.ApplicationDataRecords : 1u,
            ExplicitNonceBase = HasExplicitNonce(suite) ? flight.FinishedNonce : 0,
            EncryptThenMac = !tls13 && flight.EncryptThenMac,
            FragmentLimit = FragmentLimit(LibSsl.SSL_SESSION_get_max_fragment_length(openSslSession)),
            ApplicationProtocol = ApplicationProtocol(ssl),
            ServerName = serverName,
            PeerCertificate = PeerCertificate(ssl),
            ResumptionId = tls13 ? [] : ResumptionId(openSslSession, state.TicketKeys),
            Resumed = LibSsl.SSL_session_reused(ssl) == 1,
            CreatedAt = now,
        };

        if (ExportedSessionRules.FindFault(session) is not { } fault)
            return session;
        session.Dispose();
        throw new InvalidOperationException($"The session can't be exported: {fault}.");
    }

    /// <summary>The group of the key exchange; null when there was none (a resumed TLS 1.2 session), or it has no name here.</summary>
    public static NamedGroup? Group(SafeSslHandle ssl)
    {
        if (LibSsl.SSL_version(ssl) != (int)TlsVersion.Tls13 && LibSsl.SSL_session_reused(ssl) == 1)
            return null;

        // A NID where OpenSSL has one, else the number on the wire with a mark.
        var id = (int)LibSsl.SSL_ctrl(ssl, LibSsl.CtrlGetNegotiatedGroup, 0, null);
        var group = id switch
        {
            415 => NamedGroup.Secp256r1,
            715 => NamedGroup.Secp384r1,
            716 => NamedGroup.Secp521r1,
            1034 => NamedGroup.X25519,
            1035 => NamedGroup.X448,
            > LibSsl.GroupWithoutNid => (NamedGroup)(id & 0xFFFF),
            _ => default,
        };
        return Enum.IsDefined(group) ? group : null;
    }

    /// <summary>An id that is not ours is what a client made up to see whether its ticket was taken (RFC 5077 section 3.4).</summary>
    private static byte[] ResumptionId(nint session, TicketKeys keys)
    {
        var id = SafeSessionHandle.IdOf(session);
        return keys.IsOurSessionId(id) ? id.ToArray() : [];
    }

    /// <summary>RFC 5288 section 3: AES-GCM in TLS 1.2. ChaCha20 and TLS 1.3 make the nonce from the sequence number.</summary>
    private static bool HasExplicitNonce(CipherSuite suite)
        => CipherSuiteInfo.TryGet(suite, out var info) && info is { Kind: CipherKind.AesGcm, Version: TlsVersion.Tls12 };

    /// <summary>RFC 6066 section 4: 1 to 4 mean 2^9 to 2^12. OpenSSL 3.0 knows no record_size_limit (RFC 8449), so none is negotiated.</summary>
    private static int FragmentLimit(byte code) => code is >= 1 and <= 4 ? 1 << (8 + code) : MaxFragmentLength;

    private static SecretBytes MasterSecret(nint session)
    {
        var secret = new SecretBytes(MasterSecretLength);
        fixed (byte* destination = secret.Span)
        {
            if (LibSsl.SSL_SESSION_get_master_key(session, destination, MasterSecretLength) == MasterSecretLength)
                return secret;
        }

        secret.Dispose();
        throw new InvalidOperationException("OpenSSL has no master secret.");
    }

    private static byte[] ClientRandom(SafeSslHandle ssl)
    {
        var random = new byte[RandomLength];
        fixed (byte* destination = random)
            _ = LibSsl.SSL_get_client_random(ssl, destination, RandomLength);
        return random;
    }

    private static byte[] ServerRandom(SafeSslHandle ssl)
    {
        var random = new byte[RandomLength];
        fixed (byte* destination = random)
            _ = LibSsl.SSL_get_server_random(ssl, destination, RandomLength);
        return random;
    }

    private static string? ApplicationProtocol(SafeSslHandle ssl)
    {
        byte* data;
        uint length;
        LibSsl.SSL_get0_alpn_selected(ssl, &data, &length);
        var name = new ReadOnlySpan<byte>(data, (int)length);
        return name switch
        {
            [] => null,
            _ when name.SequenceEqual("h2"u8) => "h2",
            _ when name.SequenceEqual("http/1.1"u8) => "http/1.1",
            _ => Encoding.UTF8.GetString(name),
        };
    }

    private static byte[] PeerCertificate(SafeSslHandle ssl)
    {
        var certificate = LibSsl.SSL_get0_peer_certificate(ssl);
        if (certificate == 0)
            return [];

        var der = new byte[Math.Max(0, LibCrypto.i2d_X509(certificate, null))];
        fixed (byte* destination = der)
        {
            var position = destination;
            _ = LibCrypto.i2d_X509(certificate, &position);
        }

        return der;
    }
}
