namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>What OpenSSL's reasons (sslerr.h) mean to an operator.</summary>
internal static unsafe class OpenSslFailure
{
    private const int LibraryShift = 23;
    private const int SslLibrary = 20;
    private const ulong ReasonMask = (1 << LibraryShift) - 1;

    /// <summary>From here on reasons are common to all libraries: no memory, a call that is wrong.</summary>
    private const int FirstCommonReason = 1 << 18;

    /// <summary>An alert of the client is a reason too (SSL_AD_REASON_OFFSET).</summary>
    private const int FirstAlertReason = 1000;
    private const int LastAlertReason = FirstAlertReason + byte.MaxValue;

    private const int NoSharedCipher = 193;

    /// <summary>The failure that an error of the queue stands for; null when another library than the SSL one says it, which the SSL library then explains.</summary>
    /// <param name="error">The error.</param>
    /// <param name="ssl">The handshake that it is of, not yet freed.</param>
    public static HandshakeFailure? Of(ulong error, SafeSslHandle ssl)
    {
        if (error >> LibraryShift != SslLibrary)
            return null;
        return (int)(error & ReasonMask) switch
        {
            NoSharedCipher => WhyNoSuite(ssl),

            // UNSUPPORTED_PROTOCOL, VERSION_TOO_LOW, VERSION_TOO_HIGH, NO_PROTOCOLS_AVAILABLE, INAPPROPRIATE_FALLBACK, BAD_LEGACY_VERSION
            258 or 396 or 166 or 191 or 373 or 292 => HandshakeFailure.NoSharedVersion,

            // NO_SUITABLE_KEY_SHARE, NO_SUITABLE_GROUPS, NO_SHARED_GROUPS
            101 or 295 or 410 => HandshakeFailure.NoSharedGroup,

            // NO_SUITABLE_SIGNATURE_ALGORITHM, NO_SHARED_SIGNATURE_ALGORITHMS, MISSING_SIGALGS_EXTENSION
            118 or 376 or 112 => HandshakeFailure.NoSharedCertificate,

            // NO_APPLICATION_PROTOCOL
            235 => HandshakeFailure.NoSharedProtocol,

            // DECRYPTION_FAILED_OR_BAD_RECORD_MAC, DECRYPTION_FAILED, DIGEST_CHECK_FAILED
            281 or 147 or 149 => HandshakeFailure.BadRecord,

            // PEER_DID_NOT_RETURN_A_CERTIFICATE, CERTIFICATE_VERIFY_FAILED
            199 or 134 => HandshakeFailure.ClientCertificate,

            >= FirstCommonReason => HandshakeFailure.Internal,
            >= FirstAlertReason and <= LastAlertReason => HandshakeFailure.ClientAlert,
            _ => HandshakeFailure.Malformed,
        };
    }

    /// <summary>"no shared cipher" is said of all that makes a suite unusable: in TLS 1.2 the suite has the certificate's key type in it, and needs a group.</summary>
    private static HandshakeFailure WhyNoSuite(SafeSslHandle ssl)
    {
        var version = (TlsVersion)LibSsl.SSL_version(ssl);
        var offered = LibSsl.SSL_get_client_ciphers(ssl);
        var hasSuite = false;
        for (var i = 0; i < LibCrypto.OPENSSL_sk_num(offered); i++)
        {
            var suite = (CipherSuite)LibSsl.SSL_CIPHER_get_protocol_id(LibCrypto.OPENSSL_sk_value(offered, i));
            hasSuite |= CipherSuiteInfo.TryGet(suite, out var known) && known.Version == version;
        }

        if (!hasSuite)
            return HandshakeFailure.NoSharedCipherSuite;
        return LibSsl.SSL_ctrl(ssl, LibSsl.CtrlGetSharedGroup, LibSsl.CountSharedGroups, null) == 0 ? HandshakeFailure.NoSharedGroup : HandshakeFailure.NoSharedCertificate;
    }
}
