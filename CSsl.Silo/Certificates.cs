using CSsl.Hosting.Configuration;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Sessions;

namespace CSsl.Silo;

/// <summary>Loads what only a silo with the handshake role has: the certificates with their keys.</summary>
internal static class Certificates
{
    /// <param name="certificates">At least one.</param>
    /// <param name="keys">The cluster's, from which all handshake silos derive the same first ticket key.</param>
    /// <param name="resumption">How long sessions live.</param>
    /// <param name="sessionIds">The cluster's; null: no resumption by session id.</param>
    /// <exception cref="ConfigurationException">No certificate, or one that can't be used: which file, and why.</exception>
    public static OpenSslServerHandshakeFactory CreateFactory(IReadOnlyList<CertificateOptions> certificates, ClusterKeyRing keys, ResumptionOptions resumption, SessionIds? sessionIds)
    {
        if (certificates.Count == 0)
            throw new ConfigurationException($"{CertificateOptions.Section} is empty: a silo with the handshake role needs at least one certificate");
        try
        {
            var source = new CertificateSource(certificates.Select(static entry
                => new CertificateEntry([.. entry.Names], new CertificateFiles(entry.Certificate, entry.Key))));
            using var ticketKeys = keys.Derive(OpenSslServerHandshakeFactory.TicketKeysLabel, OpenSslServerHandshakeFactory.TicketKeysLength);
            return new OpenSslServerHandshakeFactory(source, new HandshakeOptions { TicketLifetime = resumption.Lifetime }, ticketKeys.Span, sessionIds);
        }
        catch (Exception e) when (e is CertificateException or ArgumentException)
        {
            throw new ConfigurationException($"{CertificateOptions.Section}: {e.Message}", e);
        }
    }
}
