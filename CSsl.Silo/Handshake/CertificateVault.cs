using CSsl.Hosting.Configuration;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Handshake;

/// <summary>
/// The certificates with their keys, in memory only while the silo has the handshake role: read when it gets the role, wiped when it
/// loses it. Thread-safe.
/// </summary>
/// <param name="load">Reads them.</param>
internal sealed class CertificateVault(Func<OpenSslServerHandshakeFactory> load) : IServerHandshakeFactory
{
    private readonly Lock _gate = new();
    private volatile OpenSslServerHandshakeFactory? _open;
    private bool _isDisposed;

    /// <inheritdoc/>
    public bool IsOpen => _open is not null;

    /// <summary>What was loaded; empty while the vault is closed.</summary>
    public IReadOnlyList<CertificateInfo> Certificates => _open?.Certificates ?? [];

    /// <summary>The ticket keys of the handshakes; null while the vault is closed.</summary>
    public TicketKeys? TicketKeys => _open?.TicketKeys;

    /// <summary>Loads the certificates, unless they are.</summary>
    /// <exception cref="CSsl.Hosting.Configuration.ConfigurationException">One can't be used: which file, and why.</exception>
    public void Open()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _open ??= load();
        }
    }

    /// <summary>Forgets them. Handshakes under way keep what they use until they end.</summary>
    public void Close()
    {
        OpenSslServerHandshakeFactory? open;
        lock (_gate)
            (open, _open) = (_open, null);
        open?.Dispose();
    }

    /// <inheritdoc/>
    public bool CanResume(ClientHello hello) => _open?.CanResume(hello) == true;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The silo has lost the handshake role.</exception>
    public IServerHandshake Create(ClientHello hello, ReadOnlySpan<byte> stored = default)
        => (_open ?? throw new InvalidOperationException("This silo does not have the handshake role.")).Create(hello, stored);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
            _isDisposed = true;
        Close();
    }
}

/// <summary>Tells which certificates are served, and which of them clients will refuse.</summary>
internal sealed partial class CertificateLog(IOptions<CsslSettings> settings, TimeProvider time, ILogger<CertificateLog> logger)
{
    public void Write(IReadOnlyList<CertificateInfo> certificates)
    {
        foreach (var certificate in certificates)
        {
            LogLoaded(certificate.Subject, certificate.KeyAlgorithm, certificate.NotAfter);
            if (certificate.Warning(time.GetUtcNow()) is { } warning)
                LogWarning(warning);
            var names = settings.Value.Certificates.Where(entry => entry.Certificate == certificate.Path).SelectMany(static entry => entry.Names);
            if (certificate.NamesWarning(names) is { } namesWarning)
                LogWarning(namesWarning);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "certificate {Subject} ({Algorithm}), valid until {NotAfter:u}")]
    private partial void LogLoaded(string subject, string algorithm, DateTimeOffset notAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Warning}")]
    private partial void LogWarning(string warning);
}
