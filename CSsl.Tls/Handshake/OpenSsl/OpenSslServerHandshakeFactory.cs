using System.Runtime.CompilerServices;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>Makes handshakes that OpenSSL 3 runs (libssl.so.3, Linux). Thread-safe.</summary>
public sealed class OpenSslServerHandshakeFactory : IServerHandshakeFactory
{
    /// <summary>Length of a ticket key in bytes.</summary>
    public const int TicketKeysLength = TicketKey.Length;

    /// <summary>The label under which the first ticket key is derived from the cluster's key ring.</summary>
    public const string TicketKeysLabel = "c-ssl tls ticket keys 1";

    private readonly ICertificateSource _certificates;
    private readonly HandshakeOptions _options;
    private readonly TimeProvider _clock;
    private readonly SessionIds? _sessionIds;

    // By list instance; a context goes when its source has forgotten the list.
    private readonly ConditionalWeakTable<IReadOnlyList<CertificateFiles>, OpenSslContext> _contexts = [];
    private bool _disposed;

    /// <summary>Loads every certificate of the source.</summary>
    /// <param name="certificates">Which certificate a name gets.</param>
    /// <param name="options">What may be negotiated.</param>
    /// <param name="ticketKeys">The first ticket key: <see cref="TicketKeysLength"/> bytes, which all handshake silos share; copied. From
    /// <see cref="Sessions.ClusterKeyRing.Derive"/> with <see cref="TicketKeysLabel"/>. See <see cref="TicketKeys"/> for those that come after it.</param>
    /// <param name="sessionIds">The cluster's; stay the caller's. Null: no resumption by session id.</param>
    /// <param name="clock">For the sessions' creation time; null: the system's.</param>
    /// <exception cref="CertificateException">A certificate or key can't be used: says which file and why.</exception>
    /// <exception cref="ArgumentException">An option that can't be used, or ticket keys of another length.</exception>
    public OpenSslServerHandshakeFactory(
        ICertificateSource certificates, HandshakeOptions options, ReadOnlySpan<byte> ticketKeys, SessionIds? sessionIds = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        ArgumentNullException.ThrowIfNull(options);
        _certificates = certificates;
        _options = options;
        _sessionIds = sessionIds;
        _clock = clock ?? TimeProvider.System;
        TicketKeys = new TicketKeys(ticketKeys);
        try
        {
            Certificates = [.. certificates.All.SelectMany(identity => ContextOf(identity).Certificates)];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The certificates that were loaded; see <see cref="CertificateInfo.Warning"/>.</summary>
    public IReadOnlyList<CertificateInfo> Certificates { get; }

    /// <summary>The ticket keys as they are now, for every handshake that goes on.</summary>
    public TicketKeys TicketKeys { get; }

    /// <inheritdoc/>
    /// <exception cref="CertificateException">The source answered with certificates that are new since the start, and unusable.</exception>
    public IServerHandshake Create(ClientHello hello, ReadOnlySpan<byte> stored = default)
    {
        ArgumentNullException.ThrowIfNull(hello);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), this);
        var context = ContextOf(_certificates.Select(hello.ServerName));
        var offered = stored.IsEmpty ? null : SafeSessionHandle.Read(stored, hello.SessionId.Span, hello.ServerName);
        return new OpenSslServerHandshake(context.Handle, new CallbackState(TicketKeys, _sessionIds, offered), hello.ServerName, _clock);
    }

    /// <inheritdoc/>
    public bool CanResume(ClientHello hello)
    {
        ArgumentNullException.ThrowIfNull(hello);
        return _sessionIds is { } ids && _options.MinVersion == TlsVersion.Tls12 && hello.ResumesById(_options.MaxVersion) && ids.IsOurs(hello.SessionId.Span);
    }

    /// <summary>Frees the contexts; handshakes under way keep theirs until they end.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        foreach (var (_, context) in _contexts)
            context.Dispose();
        TicketKeys.Dispose();
    }

    private OpenSslContext ContextOf(IReadOnlyList<CertificateFiles> identity)
        => _contexts.TryGetValue(identity, out var context)
            ? context
            : _contexts.GetValue(identity, list => OpenSslContext.Create(list, _options, _sessionIds is not null));
}
