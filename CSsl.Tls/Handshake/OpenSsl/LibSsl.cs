using System.Runtime.InteropServices;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>The part of libssl (OpenSSL 3) that a server's handshake needs. Names, types and return values are ssl.h's.</summary>
internal static unsafe partial class LibSsl
{
    public const int CtrlMode = 33;
    public const int CtrlSetSessionCacheMode = 44;
    public const int CtrlSetMaxCertList = 51;
    public const int CtrlSetServerNameCallback = 53;
    public const int CtrlChainCert = 89;
    public const int CtrlSetGroupsList = 92;
    public const int CtrlGetSharedGroup = 93;
    public const int CtrlSetMinProtoVersion = 123;
    public const int CtrlSetMaxProtoVersion = 124;
    public const int CtrlGetNegotiatedGroup = 134;

    /// <summary>TLSEXT_nid_unknown: marks a group's number on the wire, where a NID could be.</summary>
    public const int GroupWithoutNid = 0x100_0000;

    public const int ModeNoAutoChain = 0x8;
    public const int ModeReleaseBuffers = 0x10;

    /// <summary>SSL_SESS_CACHE_SERVER, with nothing kept by OpenSSL itself (NO_INTERNAL, NO_AUTO_CLEAR).</summary>
    public const int SessionCacheExternal = 0x2 | 0x80 | 0x300;

    public const ulong OpNoTicket = 1ul << 14;
    public const ulong OpNoCompression = 1ul << 17;
    public const ulong OpPrioritizeChaCha = 1ul << 21;
    public const ulong OpCipherServerPreference = 1ul << 22;
    public const ulong OpNoRenegotiation = 1ul << 30;

    public const int VerifyPeer = 1;
    public const int VerifyFailIfNoPeerCert = 2;

    public const int ErrorWantRead = 2;
    public const int ErrorZeroReturn = 6;

    /// <summary>SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN.</summary>
    public const int ShutdownBoth = 3;

    /// <summary>The argument of <see cref="CtrlGetSharedGroup"/> that asks for their number.</summary>
    public const int CountSharedGroups = -1;

    public const int TlsextErrOk = 0;
    public const int TlsextErrAlertFatal = 2;
    public const int NextProtoNegotiated = 1;

    private const string Library = "libssl.so.3";

    /// <summary>OPENSSL_INIT_NO_ATEXIT: threads may still be in OpenSSL when the process exits.</summary>
    private const ulong InitNoAtExit = 0x80000;

    static LibSsl()
    {
        if (OPENSSL_init_ssl(InitNoAtExit, 0) != 1)
            throw OpenSslError.ToException("OPENSSL_init_ssl");
    }

    [LibraryImport(Library)]
    public static partial int OPENSSL_init_ssl(ulong options, nint settings);

    [LibraryImport(Library)]
    public static partial nint TLS_server_method();

    [LibraryImport(Library)]
    public static partial SafeSslContextHandle SSL_CTX_new(nint method);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_ctrl(SafeSslContextHandle context, int command, nint number, void* pointer);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_callback_ctrl(
        SafeSslContextHandle context, int command, delegate* unmanaged[Cdecl]<nint, int*, nint, int> callback);

    [LibraryImport(Library)]
    public static partial ulong SSL_CTX_set_options(SafeSslContextHandle context, ulong options);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_cipher_list(SafeSslContextHandle context, string names);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_ciphersuites(SafeSslContextHandle context, string names);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_alpn_select_cb(
        SafeSslContextHandle context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, byte*, int> callback, void* argument);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_keylog_callback(SafeSslContextHandle context, delegate* unmanaged[Cdecl]<nint, byte*, void> callback);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_num_tickets(SafeSslContextHandle context, nuint count);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_tlsext_ticket_key_evp_cb(
        SafeSslContextHandle context, delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint, nint, int, int> callback);

    [LibraryImport(Library)]
    public static partial nint SSL_CTX_set_timeout(SafeSslContextHandle context, nint seconds);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_session_id_context(SafeSslContextHandle context, byte* id, uint length);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_set_generate_session_id(SafeSslContextHandle context, delegate* unmanaged[Cdecl]<nint, byte*, uint*, int> callback);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_sess_set_new_cb(SafeSslContextHandle context, delegate* unmanaged[Cdecl]<nint, nint, int> callback);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_sess_set_get_cb(SafeSslContextHandle context, delegate* unmanaged[Cdecl]<nint, byte*, int, int*, nint> callback);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_use_certificate(SafeSslContextHandle context, SafeX509Handle certificate);

    [LibraryImport(Library)]
    public static partial int SSL_CTX_use_PrivateKey(SafeSslContextHandle context, SafeKeyHandle key);

    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_verify(SafeSslContextHandle context, int mode, nint callback);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_load_verify_file(SafeSslContextHandle context, string path);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint SSL_load_client_CA_file(string path);

    /// <summary>Takes ownership of <paramref name="names"/>.</summary>
    [LibraryImport(Library)]
    public static partial void SSL_CTX_set_client_CA_list(SafeSslContextHandle context, nint names);

    [LibraryImport(Library)]
    public static partial SafeSslHandle SSL_new(SafeSslContextHandle context);

    [LibraryImport(Library)]
    public static partial void SSL_free(nint ssl);

    [LibraryImport(Library)]
    public static partial void SSL_set_shutdown(nint ssl, int mode);

    /// <summary>Takes ownership of both BIOs.</summary>
    [LibraryImport(Library)]
    public static partial void SSL_set_bio(SafeSslHandle ssl, nint readBio, nint writeBio);

    [LibraryImport(Library)]
    public static partial void SSL_set_accept_state(SafeSslHandle ssl);

    [LibraryImport(Library)]
    public static partial int SSL_set_ex_data(SafeSslHandle ssl, int index, nint data);

    [LibraryImport(Library)]
    public static partial nint SSL_get_ex_data(nint ssl, int index);

    [LibraryImport(Library)]
    public static partial int SSL_do_handshake(SafeSslHandle ssl);

    [LibraryImport(Library)]
    public static partial int SSL_get_error(SafeSslHandle ssl, int result);

    [LibraryImport(Library)]
    public static partial int SSL_version(SafeSslHandle ssl);

    /// <summary>For callbacks.</summary>
    [LibraryImport(Library)]
    public static partial int SSL_version(nint ssl);

    /// <summary>1 when records that were read hold more than was taken from them.</summary>
    [LibraryImport(Library)]
    public static partial int SSL_has_pending(SafeSslHandle ssl);

    [LibraryImport(Library)]
    public static partial nint SSL_ctrl(SafeSslHandle ssl, int command, nint number, void* pointer);

    [LibraryImport(Library)]
    public static partial nint SSL_get_current_cipher(SafeSslHandle ssl);

    [LibraryImport(Library)]
    public static partial ushort SSL_CIPHER_get_protocol_id(nint cipher);

    /// <summary>A stack that belongs to <paramref name="ssl"/>; null before the hello.</summary>
    [LibraryImport(Library)]
    public static partial nint SSL_get_client_ciphers(SafeSslHandle ssl);

    [LibraryImport(Library)]
    public static partial int SSL_session_reused(SafeSslHandle ssl);

    /// <summary>The session belongs to <paramref name="ssl"/>.</summary>
    [LibraryImport(Library)]
    public static partial nint SSL_get_session(SafeSslHandle ssl);

    [LibraryImport(Library)]
    public static partial void SSL_SESSION_free(nint session);

    /// <summary>The id belongs to <paramref name="session"/>.</summary>
    [LibraryImport(Library)]
    public static partial byte* SSL_SESSION_get_id(nint session, uint* length);

    /// <summary>The name belongs to <paramref name="session"/>; null without one.</summary>
    [LibraryImport(Library)]
    public static partial byte* SSL_SESSION_get0_hostname(nint session);

    [LibraryImport(Library)]
    public static partial int SSL_SESSION_get_protocol_version(nint session);

    /// <summary>With <paramref name="destination"/> null only the length; else writes there and moves the pointer.</summary>
    [LibraryImport(Library)]
    public static partial int i2d_SSL_SESSION(nint session, byte** destination);

    /// <summary>Moves <paramref name="source"/> past what it read.</summary>
    [LibraryImport(Library)]
    public static partial SafeSessionHandle d2i_SSL_SESSION(nint reuse, byte** source, nint length);

    [LibraryImport(Library)]
    public static partial nuint SSL_SESSION_get_master_key(nint session, byte* destination, nuint length);

    [LibraryImport(Library)]
    public static partial byte SSL_SESSION_get_max_fragment_length(nint session);

    [LibraryImport(Library)]
    public static partial nuint SSL_get_client_random(SafeSslHandle ssl, byte* destination, nuint length);

    [LibraryImport(Library)]
    public static partial nuint SSL_get_server_random(SafeSslHandle ssl, byte* destination, nuint length);

    [LibraryImport(Library)]
    public static partial void SSL_get0_alpn_selected(SafeSslHandle ssl, byte** data, uint* length);

    /// <summary>The certificate belongs to <paramref name="ssl"/>.</summary>
    [LibraryImport(Library)]
    public static partial nint SSL_get0_peer_certificate(SafeSslHandle ssl);

    [LibraryImport(Library)]
    public static partial int SSL_select_next_proto(
        byte** selected, byte* selectedLength, byte* server, uint serverLength, byte* client, uint clientLength);
}
