using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using CSsl.Tls;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Sessions;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>A session that a client can resume.</summary>
internal sealed class ClientSession() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    /// <summary>The ticket that the server gave; empty without one.</summary>
    public unsafe byte[] Ticket
    {
        get
        {
            byte* ticket;
            nuint length;
            OpenSslClient.SSL_SESSION_get0_ticket(this, &ticket, &length);
            return new ReadOnlySpan<byte>(ticket, (int)length).ToArray();
        }
    }

    protected override bool ReleaseHandle()
    {
        OpenSslClient.SSL_SESSION_free(handle);
        return true;
    }
}

/// <summary>libssl as a client, over memory, one step at a time: it can do what SslStream can't, and in a fixed order.</summary>
internal sealed unsafe partial class OpenSslClient : IDisposable
{
    private const int CtrlSetHostName = 55;
    private const int CtrlSetSignatureAlgorithms = 98;
    private const ulong OpNoEncryptThenMac = 1ul << 19;

    // By their SSL: what the key log tells of each client.
    private static readonly ConcurrentDictionary<nint, byte[]> HandshakeSecrets = new();

    private readonly bool _encryptThenMac;
    private readonly SafeSslContextHandle _context;
    private readonly SafeSslHandle _ssl;
    private readonly TicketKeys _ticketKeys = new(); // a client has none
    private readonly System.Buffers.ArrayBufferWriter<byte> _output = new();

    public OpenSslClient(ClientSettings settings, string authorityPath)
    {
        _context = LibSsl.SSL_CTX_new(TLS_client_method());
        LibSsl.SSL_CTX_ctrl(_context, LibSsl.CtrlSetMinProtoVersion, settings.Version, null);
        LibSsl.SSL_CTX_ctrl(_context, LibSsl.CtrlSetMaxProtoVersion, settings.Version, null);
        Require(LibSsl.SSL_CTX_load_verify_file(_context, authorityPath));
        LibSsl.SSL_CTX_set_verify(_context, LibSsl.VerifyPeer, 0);
        LibSsl.SSL_CTX_set_keylog_callback(_context, &LogKey);
        _encryptThenMac = settings.EncryptThenMac;
        SetSuites(settings);
        if (settings.MaxFragmentCode > 0)
            Require(SSL_CTX_set_tlsext_max_fragment_length(_context, settings.MaxFragmentCode));
        if (!settings.EncryptThenMac)
            LibSsl.SSL_CTX_set_options(_context, OpNoEncryptThenMac);
        if (!settings.Tickets)
            LibSsl.SSL_CTX_set_options(_context, LibSsl.OpNoTicket);
        if (settings.Certificate is { } certificate)
        {
            Require(SSL_CTX_use_certificate_chain_file(_context, certificate.CertificatePath));
            Require(SSL_CTX_use_PrivateKey_file(_context, certificate.KeyPath, 1));
        }

        _ssl = SafeSslHandle.Create(_context, new CallbackState(_ticketKeys));
        SSL_set_connect_state(_ssl);
        if (settings.ServerName is { } name)
            fixed (byte* text = Encoding.ASCII.GetBytes(name + "\0"))
                Require(SSL_ctrl(_ssl, CtrlSetHostName, 0, text));
        SetApplicationProtocols(settings.ApplicationProtocols);
        if (settings.Resume is { } session)
            Require(SSL_set_session(_ssl, session));
    }

    /// <summary>Whether the handshake is complete on this side.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>Whether the libssl at hand knows a group.</summary>
    public static bool Knows(string group)
    {
        LibCrypto.ERR_clear_error();
        using var context = LibSsl.SSL_CTX_new(TLS_client_method());
        fixed (byte* name = Encoding.ASCII.GetBytes(group + "\0"))
            return LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlSetGroupsList, 0, name) == 1;
    }

    public bool IsTls13 => LibSsl.SSL_version(_ssl) == (int)TlsVersion.Tls13;

    /// <summary>Whether the server resumed the session that was offered.</summary>
    public bool Resumed => LibSsl.SSL_session_reused(_ssl) == 1;

    public CipherSuite Suite => (CipherSuite)LibSsl.SSL_CIPHER_get_protocol_id(LibSsl.SSL_get_current_cipher(_ssl));

    public string? ApplicationProtocol
    {
        get
        {
            byte* data;
            uint length;
            LibSsl.SSL_get0_alpn_selected(_ssl, &data, &length);
            return length == 0 ? null : Encoding.ASCII.GetString(data, (int)length);
        }
    }

    /// <summary>The server's certificate in DER.</summary>
    public byte[] ServerCertificate
    {
        get
        {
            var certificate = LibSsl.SSL_get0_peer_certificate(_ssl);
            var der = new byte[LibCrypto.i2d_X509(certificate, null)];
            fixed (byte* destination = der)
            {
                var position = destination;
                _ = LibCrypto.i2d_X509(certificate, &position);
            }

            return der;
        }
    }

    /// <summary>Reads what the server sent and answers with the next flight (empty when it waits or is done).</summary>
    /// <exception cref="InvalidOperationException">The client refuses, or got an alert.</exception>
    public byte[] Handshake(ReadOnlySpan<byte> fromServer)
    {
        if (!fromServer.IsEmpty)
            _ssl.Feed(fromServer);
        LibCrypto.ERR_clear_error();
        var result = LibSsl.SSL_do_handshake(_ssl);
        IsConnected = result == 1;
        if (result != 1 && LibSsl.SSL_get_error(_ssl, result) is not LibSsl.ErrorWantRead and var error)
            throw new InvalidOperationException($"client: {OpenSslError.Take() ?? error.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
        return TakeOutput();
    }

    /// <summary>Seals application data into records.</summary>
    public byte[] Write(ReadOnlySpan<byte> data)
    {
        LibCrypto.ERR_clear_error();
        fixed (byte* source = data)
            Require(SSL_write(_ssl, source, data.Length));
        return TakeOutput();
    }

    /// <summary>Opens records of the server; post-handshake messages are handled on the way.</summary>
    /// <exception cref="InvalidOperationException">The client refuses them, or got an alert.</exception>
    public byte[] Read(ReadOnlySpan<byte> fromServer)
    {
        if (!fromServer.IsEmpty)
            _ssl.Feed(fromServer);
        var data = new List<byte>();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            int read;
            LibCrypto.ERR_clear_error();
            fixed (byte* destination = buffer)
                read = SSL_read(_ssl, destination, buffer.Length);
            if (read <= 0)
            {
                var error = LibSsl.SSL_get_error(_ssl, read);
                return error is LibSsl.ErrorWantRead or LibSsl.ErrorZeroReturn
                    ? [.. data]
                    : throw new InvalidOperationException($"client: {OpenSslError.Take()}");
            }

            data.AddRange(buffer.AsSpan(0, read));
        }
    }

    /// <summary>What the client has to send: after a refusal, its alert.</summary>
    public byte[] TakeOutput()
    {
        var flight = default(ServerFlight);
        _output.ResetWrittenCount();
        _ssl.Drain(_output, ref flight);
        return _output.WrittenSpan.ToArray();
    }

    /// <summary>The session so far: after a TLS 1.3 handshake once a ticket was read.</summary>
    public ClientSession TakeSession() => SSL_get1_session(_ssl);

    /// <summary>RFC 8446 section 7.5, RFC 5705, without a context.</summary>
    public byte[] ExportKeyingMaterial(string label, int length)
    {
        var material = new byte[length];
        var text = Encoding.ASCII.GetBytes(label);
        fixed (byte* destination = material, name = text)
            Require(SSL_export_keying_material(_ssl, destination, (nuint)length, name, (nuint)text.Length, null, 0, 0));
        return material;
    }

    /// <summary>The keys under which its Finished was sealed, before the first record of both sides.</summary>
    public ExportedSession HandshakeKeys()
    {
        var master = new byte[48];
        byte[] clientRandom = new byte[32], serverRandom = new byte[32];
        fixed (byte* secret = master, one = clientRandom, other = serverRandom)
        {
            if (!IsTls13)
                Require((nint)LibSsl.SSL_SESSION_get_master_key(LibSsl.SSL_get_session(_ssl), secret, 48));
            _ = LibSsl.SSL_get_client_random(_ssl, one, 32);
            _ = LibSsl.SSL_get_server_random(_ssl, other, 32);
        }

        return new ExportedSession
        {
            Version = IsTls13 ? TlsVersion.Tls13 : TlsVersion.Tls12,
            CipherSuite = Suite,
            ClientSecret = new SecretBytes(IsTls13 ? HandshakeSecrets[_ssl.DangerousGetHandle()] : master),
            ServerSecret = IsTls13 ? new SecretBytes(HandshakeSecrets[_ssl.DangerousGetHandle()]) : SecretBytes.Empty,
            ClientRandom = IsTls13 ? [] : clientRandom,
            ServerRandom = IsTls13 ? [] : serverRandom,
            EncryptThenMac = !IsTls13 && !CipherSuiteInfo.Get(Suite).IsAead && _encryptThenMac,
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
    }

    public void Dispose()
    {
        HandshakeSecrets.TryRemove(_ssl.DangerousGetHandle(), out _);
        _ssl.Dispose();
        _context.Dispose();
        _ticketKeys.Dispose();
    }

    [LibraryImport("libssl.so.3")]
    internal static partial void SSL_SESSION_free(nint session);

    /// <summary>The ticket belongs to <paramref name="session"/>.</summary>
    [LibraryImport("libssl.so.3")]
    internal static partial void SSL_SESSION_get0_ticket(ClientSession session, byte** ticket, nuint* length);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void LogKey(nint ssl, byte* line)
    {
        var fields = Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(line)).Split(' ');
        if (fields[0] == "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
            HandshakeSecrets[ssl] = Convert.FromHexString(fields[2]);
    }

    private static void Require(nint result)
    {
        if (result < 1)
            throw OpenSslError.ToException("client");
    }

    private void SetSuites(ClientSettings settings)
    {
        if (settings.CipherList is { } list)
            Require(LibSsl.SSL_CTX_set_cipher_list(_context, list));
        if (settings.Suite is { } suite)
        {
            var info = CipherSuiteInfo.Get(suite);
            Require(info.Version == TlsVersion.Tls13
                ? LibSsl.SSL_CTX_set_ciphersuites(_context, info.OpenSslName)
                : LibSsl.SSL_CTX_set_cipher_list(_context, info.OpenSslName));
        }

        fixed (byte* groups = Encoding.ASCII.GetBytes(settings.Groups + "\0"))
            Require(LibSsl.SSL_CTX_ctrl(_context, LibSsl.CtrlSetGroupsList, 0, groups));
        if (settings.SignatureAlgorithms is { } algorithms)
            fixed (byte* text = Encoding.ASCII.GetBytes(algorithms + "\0"))
                Require(LibSsl.SSL_CTX_ctrl(_context, CtrlSetSignatureAlgorithms, 0, text));
    }

    private void SetApplicationProtocols(string[] protocols)
    {
        if (protocols.Length == 0)
            return;
        byte[] list = [.. protocols.SelectMany(static p => (byte[])[(byte)p.Length, .. Encoding.ASCII.GetBytes(p)])];
        fixed (byte* data = list)
            _ = SSL_set_alpn_protos(_ssl, data, (uint)list.Length);
    }

    [LibraryImport("libssl.so.3")]
    private static partial nint TLS_client_method();

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_set_tlsext_max_fragment_length(SafeSslContextHandle context, byte mode);

    [LibraryImport("libssl.so.3", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_use_certificate_chain_file(SafeSslContextHandle context, string path);

    [LibraryImport("libssl.so.3", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_use_PrivateKey_file(SafeSslContextHandle context, string path, int type);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_set_connect_state(SafeSslHandle ssl);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_ctrl(SafeSslHandle ssl, int command, nint number, void* pointer);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_set_alpn_protos(SafeSslHandle ssl, byte* list, uint length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_set_session(SafeSslHandle ssl, ClientSession session);

    [LibraryImport("libssl.so.3")]
    private static partial ClientSession SSL_get1_session(SafeSslHandle ssl);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_write(SafeSslHandle ssl, byte* data, int length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_read(SafeSslHandle ssl, byte* data, int length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_export_keying_material(
        SafeSslHandle ssl, byte* destination, nuint length, byte* label, nuint labelLength, byte* context, nuint contextLength, int useContext);
}
