using CSsl.Hosting.Configuration;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;

namespace CSsl.Silo;

/// <summary>Loads what only a silo with the handshake role has: the certificates with their keys.</summary>
internal static class Certificates
{
    /// <param name="certificates">At least one.</param>
    /// <param name="resumption">How long sessions live, and whether those without a ticket are kept.</param>
    /// <exception cref="ConfigurationException">No certificate, or one that can't be used: which file, and why.</exception>
    public static OpenSslServerHandshakeFactory CreateFactory(IReadOnlyList<CertificateOptions> certificates, ResumptionOptions resumption)
    {
        if (certificates.Count == 0)
            throw new ConfigurationException($"{CertificateOptions.Section} is empty: a silo with the handshake role needs at least one certificate");
        try
        {
            var source = new CertificateSource(certificates.Select(static entry
                => new CertificateEntry([.. entry.Names], new CertificateFiles(entry.Certificate, entry.Key))));
            return new OpenSslServerHandshakeFactory(source, new HandshakeOptions { TicketLifetime = resumption.Lifetime, SessionIds = resumption.SessionIds });
        }
        catch (Exception e) when (e is CertificateException or ArgumentException)
        {
            throw new ConfigurationException($"{CertificateOptions.Section}: {e.Message}", e);
        }
    }
}
