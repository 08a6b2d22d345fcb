using System.Runtime.CompilerServices;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>Makes handshakes that OpenSSL 3 runs (libssl.so.3, Linux). Thread-safe.</summary>
public sealed class OpenSslServerHandshakeFactory : IServerHandshakeFactory
{
    private readonly ICertificateSource _certificates;
    private readonly HandshakeOptions _options;
    private readonly TimeProvider _clock;

    // By list instance; a context goes when its source has forgotten the list.
    private readonly ConditionalWeakTable<IReadOnlyList<CertificateFiles>, OpenSslContext> _contexts = [];
    private bool _disposed;

    /// <summary>Loads every certificate of the source.</summary>
    /// <param name="certificates">Which certificate a name gets.</param>
    /// <param name="options">What may be negotiated.</param>
    /// <param name="clock">For the sessions' creation time; null: the system's.</param>
    /// <exception cref="CertificateException">A certificate or key can't be used: says which file and why.</exception>
    /// <exception cref="ArgumentException">An option that can't be used.</exception>
    public OpenSslServerHandshakeFactory(ICertificateSource certificates, HandshakeOptions options, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        ArgumentNullException.ThrowIfNull(options);
        _certificates = certificates;
        _options = options;
        _clock = clock ?? TimeProvider.System;
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
    public TicketKeys TicketKeys { get; } = new();

    /// <inheritdoc/>
    /// <exception cref="CertificateException">The source answered with certificates that are new since the start, and unusable.</exception>
    public IServerHandshake Create(ClientHello hello, ReadOnlySpan<byte> stored = default)
    {
        ArgumentNullException.ThrowIfNull(hello);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), this);
        var context = ContextOf(_certificates.Select(hello.ServerName));
        var offered = stored.IsEmpty ? null : SafeSessionHandle.Read(stored, hello.SessionId.Span, hello.ServerName);
        return new OpenSslServerHandshake(context.Handle, new CallbackState(TicketKeys, offered), hello.ServerName, _clock);
    }

    /// <inheritdoc/>
    public bool CanResume(ClientHello hello)
    {
        ArgumentNullException.ThrowIfNull(hello);
        return _options is { SessionIds: true, MinVersion: TlsVersion.Tls12 } && hello.ResumesById(_options.MaxVersion) && TicketKeys.IsOurSessionId(hello.SessionId.Span);
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
            : _contexts.GetValue(identity, list => OpenSslContext.Create(list, _options));
}
