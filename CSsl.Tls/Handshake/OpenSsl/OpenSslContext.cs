using System.Security.Cryptography;
using System.Text;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>An SSL_CTX for one identity. All contexts of a factory differ in their certificates only.</summary>
internal sealed unsafe class OpenSslContext : IDisposable
{
    private OpenSslContext(SafeSslContextHandle handle, IReadOnlyList<CertificateInfo> certificates)
    {
        Handle = handle;
        Certificates = certificates;
    }

    public SafeSslContextHandle Handle { get; }

    public IReadOnlyList<CertificateInfo> Certificates { get; }

    /// <exception cref="CertificateException">A file can't be used.</exception>
    /// <exception cref="ArgumentException">An option that OpenSSL does not take.</exception>
    public static OpenSslContext Create(IReadOnlyList<CertificateFiles> identity, HandshakeOptions options)
    {
        LibCrypto.ERR_clear_error();
        var context = LibSsl.SSL_CTX_new(LibSsl.TLS_server_method());
        try
        {
            if (context.IsInvalid)
                throw OpenSslError.ToException("SSL_CTX_new");

            SetModes(context);
            SetVersionsAndSuites(context, options);
            SetApplicationProtocols(context, options.ApplicationProtocols);
            SetClientAuthorities(context, options);
            SetResumption(context, options);
            SetSessionCache(context, options.SessionIds);
            LibSsl.SSL_CTX_set_keylog_callback(context, &HandshakeCallbacks.LogKey);
            LibSsl.SSL_CTX_callback_ctrl(context, LibSsl.CtrlSetServerNameCallback, &HandshakeCallbacks.AcknowledgeServerName);
            return new OpenSslContext(context, LoadIdentity(context, identity));
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    public void Dispose() => Handle.Dispose();

    private static void SetModes(SafeSslContextHandle context)
    {
        // NoAutoChain: the chain is what the file says; OpenSSL would look for one in every handshake.
        LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlMode, LibSsl.ModeReleaseBuffers | LibSsl.ModeNoAutoChain, null);
        LibSsl.SSL_CTX_set_options(
            context,
            LibSsl.OpNoCompression | LibSsl.OpNoRenegotiation | LibSsl.OpCipherServerPreference | LibSsl.OpPrioritizeChaCha);
    }

    private static void SetVersionsAndSuites(SafeSslContextHandle context, HandshakeOptions options)
    {
        var suites12 = NamesOf(options.CipherSuites, TlsVersion.Tls12);
        var suites13 = NamesOf(options.CipherSuites, TlsVersion.Tls13);
        if (options.MinVersion > options.MaxVersion || !Enum.IsDefined(options.MinVersion) || !Enum.IsDefined(options.MaxVersion))
            throw new ArgumentException($"No TLS version is between {options.MinVersion} and {options.MaxVersion}.");
        if (options.MinVersion == TlsVersion.Tls12 && suites12.Length == 0)
            throw new ArgumentException("TLS 1.2 is enabled without a cipher suite of its own.");
        if (options.MaxVersion == TlsVersion.Tls13 && suites13.Length == 0)
            throw new ArgumentException("TLS 1.3 is enabled without a cipher suite of its own.");

        Require(LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlSetMinProtoVersion, (nint)options.MinVersion, null), "the lowest version");
        Require(LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlSetMaxProtoVersion, (nint)options.MaxVersion, null), "the highest version");
        Require(LibSsl.SSL_CTX_set_ciphersuites(context, suites13), "the TLS 1.3 cipher suites");
        if (suites12.Length > 0)
            Require(LibSsl.SSL_CTX_set_cipher_list(context, suites12), "the TLS 1.2 cipher suites");

        Require(SetGroups(context, string.Join(':', Known(options.Groups, name => SetGroups(context, name) == 1))), "the groups");
    }

    /// <summary>The groups that are left when the optional ones that are unknown are left out.</summary>
    /// <param name="groups">As in <see cref="HandshakeOptions.Groups"/>.</param>
    /// <param name="isKnown">Whether OpenSSL knows a name.</param>
    internal static IEnumerable<string> Known(IEnumerable<string> groups, Func<string, bool> isKnown)
        => groups.Where(group => !group.StartsWith('?') || isKnown(group[1..])).Select(static group => group.TrimStart('?'));

    private static nint SetGroups(SafeSslContextHandle context, string names)
    {
        LibCrypto.ERR_clear_error();
        fixed (byte* list = Encoding.ASCII.GetBytes(names + "\0"))
            return LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlSetGroupsList, 0, list);
    }

    private static string NamesOf(IEnumerable<CipherSuite> suites, TlsVersion version)
        => string.Join(':', suites.Select(CipherSuiteInfo.Get).Where(suite => suite.Version == version).Select(static suite => suite.OpenSslName));

    private static void SetApplicationProtocols(SafeSslContextHandle context, IReadOnlyList<string> protocols)
    {
        if (protocols.Count == 0)
            return;

        var list = new List<byte>();
        foreach (var protocol in protocols)
        {
            var name = Encoding.UTF8.GetBytes(protocol);
            if (name.Length is 0 or > byte.MaxValue)
                throw new ArgumentException("An ALPN protocol name is 1 to 255 bytes.");
            list.Add((byte)name.Length);
            list.AddRange(name);
        }

        LibSsl.SSL_CTX_set_alpn_select_cb(context, &HandshakeCallbacks.SelectAlpn, context.StoreAlpn(list.ToArray()));
    }

    private static void SetClientAuthorities(SafeSslContextHandle context, HandshakeOptions options)
    {
        // What the client's certificates may add to the capsule is bounded here, before a byte of them is kept.
        LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlSetMaxCertList, ExportedSessionCodec.MaxPeerCertificateLength, null);
        if (options.ClientAuthoritiesPath is not { } path)
            return;

        var names = LibSsl.SSL_load_client_CA_file(path);
        if (names == 0 || LibSsl.SSL_CTX_load_verify_file(context, path) != 1)
            throw new CertificateException(path, $"the client authorities can't be loaded: {OpenSslError.Take()}");
        LibSsl.SSL_CTX_set_client_CA_list(context, names);
        LibSsl.SSL_CTX_set_verify(
            context, LibSsl.VerifyPeer | (options.RequireClientCertificate ? LibSsl.VerifyFailIfNoPeerCert : 0), 0);
    }

    private static void SetResumption(SafeSslContextHandle context, HandshakeOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.TicketCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.TicketCount, 16);
        Require(LibSsl.SSL_CTX_set_num_tickets(context, (nuint)options.TicketCount), "the number of tickets");
        if (options.TicketCount == 0)
            LibSsl.SSL_CTX_set_options(context, LibSsl.OpNoTicket);

        // RFC 8446 section 4.6.1: seven days at most.
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TicketLifetime, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.TicketLifetime, TimeSpan.FromDays(7));
        LibSsl.SSL_CTX_set_timeout(context, (nint)options.TicketLifetime.TotalSeconds);
        OpenSslError.ThrowUnlessOne(
            LibSsl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &HandshakeCallbacks.UseTicketKey), "SSL_CTX_set_tlsext_ticket_key_evp_cb");
    }

    /// <summary>OpenSSL keeps no session: with session ids it is asked for the one that was looked up, and shows those it makes.</summary>
    private static void SetSessionCache(SafeSslContextHandle context, bool sessionIds)
    {
        LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlSetSessionCacheMode, sessionIds ? LibSsl.SessionCacheExternal : 0, null);
        if (!sessionIds)
            return;
        OpenSslError.ThrowUnlessOne(LibSsl.SSL_CTX_set_generate_session_id(context, &HandshakeCallbacks.MakeSessionId), "SSL_CTX_set_generate_session_id");
        LibSsl.SSL_CTX_sess_set_new_cb(context, &HandshakeCallbacks.KeepSession);
        LibSsl.SSL_CTX_sess_set_get_cb(context, &HandshakeCallbacks.FindSession);
    }

    private static List<CertificateInfo> LoadIdentity(SafeSslContextHandle context, IReadOnlyList<CertificateFiles> identity)
    {
        using var fingerprint = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var certificates = new List<CertificateInfo>(identity.Count);
        foreach (var files in identity)
        {
            var loaded = CertificateLoader.Load(context, files, fingerprint);
            if (certificates.Find(other => other.KeyAlgorithm == loaded.KeyAlgorithm) is { } other)
                throw new CertificateException(files.CertificatePath, $"a second {loaded.KeyAlgorithm} certificate for the names of {other.Path}");
            certificates.Add(loaded);
        }

        if (certificates.Count == 0)
            throw new ArgumentException("An identity without a certificate.");

        // A session resumes under the certificates that it was made under: one virtual host's ticket is none at another's.
        Span<byte> id = stackalloc byte[SHA256.HashSizeInBytes];
        fingerprint.GetHashAndReset(id);
        fixed (byte* data = id)
            OpenSslError.ThrowUnlessOne(LibSsl.SSL_CTX_set_session_id_context(context, data, (uint)id.Length), "SSL_CTX_set_session_id_context");
        return certificates;
    }

    private static void Require(nint result, string what)
    {
        if (result < 1)
            throw new ArgumentException($"OpenSSL does not take {what}: {OpenSslError.Take() ?? "no reason given"}.");
    }
}
