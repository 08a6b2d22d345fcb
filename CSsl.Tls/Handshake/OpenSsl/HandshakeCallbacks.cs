using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>What OpenSSL calls during a handshake. No exception may leave a callback: the frames below it are C.</summary>
[SuppressMessage("Style", "IDE0060:Remove unused parameter", Justification = "OpenSSL's signatures.")]
internal static unsafe class HandshakeCallbacks
{
    /// <summary>SSL_CTX_alpn_select_cb_func: the server's preference among what the client offers (RFC 7301 section 3.2).</summary>
    /// <param name="ssl">Not used.</param>
    /// <param name="selected">Set to the protocol; points into one of the lists.</param>
    /// <param name="selectedLength">Set to its length.</param>
    /// <param name="client">The client's list, checked by OpenSSL: not empty, no empty name.</param>
    /// <param name="clientLength">Its length.</param>
    /// <param name="argument">The server's list, see <see cref="SafeSslContextHandle.StoreAlpn"/>.</param>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int SelectAlpn(nint ssl, byte** selected, byte* selectedLength, byte* client, uint clientLength, byte* argument)
    {
        var overlap = LibSsl.SSL_select_next_proto(
            selected, selectedLength, argument + sizeof(int), (uint)*(int*)argument, client, clientLength);
        return overlap == LibSsl.NextProtoNegotiated ? LibSsl.TlsextErrOk : LibSsl.TlsextErrAlertFatal;
    }

    /// <summary>SSL_CTX_set_tlsext_servername_callback: acknowledges the name (RFC 6066 section 3); the context was chosen by it before.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int AcknowledgeServerName(nint ssl, int* alert, nint argument) => LibSsl.TlsextErrOk;

    /// <summary>SSL_CTX_keylog_cb_func.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void LogKey(nint ssl, byte* line)
    {
        TrafficSecrets? secrets = null;
        try
        {
            secrets = SafeSslHandle.StateOf(ssl).Secrets;
            secrets.Add(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(line));
        }
        catch (Exception exception)
        {
            // The type only: a message could quote the line. Without its secrets the handshake fails.
            secrets?.Fault = $"key log: {exception.GetType().Name}";
        }
    }

    /// <summary>The callback of SSL_CTX_set_tlsext_ticket_key_evp_cb.</summary>
    /// <param name="ssl">The SSL.</param>
    /// <param name="name">16 bytes: the key's name, written or read.</param>
    /// <param name="iv">16 bytes: written or read.</param>
    /// <param name="cipher">EVP_CIPHER_CTX, to be given its key.</param>
    /// <param name="mac">EVP_MAC_CTX, to be given its key.</param>
    /// <param name="issue">1 for a new ticket, 0 for a client's.</param>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int UseTicketKey(nint ssl, byte* name, byte* iv, nint cipher, nint mac, int issue)
    {
        try
        {
            var keys = SafeSslHandle.StateOf(ssl).TicketKeys;
            return issue == 1 ? keys.Issue(name, iv, cipher, mac) : keys.Open(name, iv, cipher, mac, usedOnce: LibSsl.SSL_version(ssl) == (int)TlsVersion.Tls13);
        }
        catch (Exception)
        {
            // The handshake fails with internal_error. Nothing more is said: what is wrong could only be said with keys around.
            return TicketCipher.Failed;
        }
    }

    /// <summary>GEN_SESSION_CB: the id of a new session.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int MakeSessionId(nint ssl, byte* id, uint* length)
    {
        try
        {
            // OpenSSL asks for all 32 bytes of TLS 1.2. In TLS 1.3 it asks with each ticket, for an id that nobody ever sees.
            if (LibSsl.SSL_version(ssl) == (int)TlsVersion.Tls12)
                SafeSslHandle.StateOf(ssl).TicketKeys.MakeSessionId(new Span<byte>(id, (int)*length));
            return 1;
        }
        catch (Exception)
        {
            // The handshake fails with internal_error.
            return 0;
        }
    }

    /// <summary>The callback of SSL_CTX_sess_set_new_cb. A copy is taken: 0 says that no reference is kept.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int KeepSession(nint ssl, nint session)
    {
        try
        {
            SafeSslHandle.StateOf(ssl).Keep(session);
        }
        catch (Exception)
        {
            // A session that is not kept is not resumed: its client shakes hands in full.
            return 0;
        }

        return 0;
    }

    /// <summary>The callback of SSL_CTX_sess_set_get_cb: the session that was looked up before the handshake began.</summary>
    /// <param name="ssl">The SSL.</param>
    /// <param name="id">What the client sent.</param>
    /// <param name="length">Its length.</param>
    /// <param name="copy">Set to 0: OpenSSL gets the reference that is returned.</param>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static nint FindSession(nint ssl, byte* id, int length, int* copy)
    {
        *copy = 0;
        try
        {
            return SafeSslHandle.StateOf(ssl).TakeOffered(new ReadOnlySpan<byte>(id, length));
        }
        catch (Exception)
        {
            // No session: a full handshake.
            return 0;
        }
    }

    /// <summary>pem_password_cb: keys are not encrypted, and nobody is asked at a terminal.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int RefusePassword(byte* buffer, int size, int forWriting, nint argument) => -1;
}
