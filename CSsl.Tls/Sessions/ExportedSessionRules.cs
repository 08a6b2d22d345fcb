using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>What every exported session must satisfy, whether it is written or read.</summary>
internal static class ExportedSessionRules
{
    public const int ResumptionIdLength = 32;

    private const int MasterSecretLength = 48;
    private const int RandomLength = 32;

    /// <summary>RFC 8449 section 4: a record_size_limit below 64 is refused.</summary>
    private const int MinFragmentLimit = 64;

    /// <summary>The rule that the session breaks, or null. Says nothing secret.</summary>
    public static string? FindFault(ExportedSession session)
    {
        if (!CipherSuiteInfo.TryGet(session.CipherSuite, out var suite))
            return "a cipher suite that C-SSL does not negotiate";
        if (suite.Version != session.Version)
            return "a cipher suite of another TLS version";
        if (session.ClientKeyBase > session.ClientSequence || session.ServerKeyBase > session.ServerSequence)
            return "a key that is newer than its records";
        if (session.FragmentLimit is < MinFragmentLimit or > 1 << 14)
            return "a fragment limit out of range";
        if (session.PeerCertificate.Length > ExportedSessionCodec.MaxPeerCertificateLength)
            return "a peer certificate that is too long";
        if (FindTextFault(session.ApplicationProtocol) is { } protocolFault)
            return $"an application protocol {protocolFault}";
        if (FindTextFault(session.ServerName) is { } nameFault)
            return $"a server name {nameFault}";
        if (FindTextFault(session.DataSilo) is { } siloFault)
            return $"a silo's name {siloFault}";
        return session.Version == TlsVersion.Tls13 ? FindFault13(session, suite) : FindFault12(session, suite);
    }

    private static string? FindFault13(ExportedSession session, CipherSuiteInfo suite)
    {
        if (session.ClientSecret.Length != suite.HashLength || session.ServerSecret.Length != suite.HashLength)
            return "traffic secrets whose length is not the suite's";
        if (session.ExporterSecret.Length != 0 && session.ExporterSecret.Length != suite.HashLength)
            return "an exporter secret whose length is not the suite's";
        if (session.ClientRandom.Length != 0 || session.ServerRandom.Length != 0)
            return "randoms with TLS 1.3";
        if (session.ResumptionId.Length != 0)
            return "a resumption id with TLS 1.3";
        return session.EncryptThenMac || session.ExplicitNonceBase != 0 ? "TLS 1.2 settings with TLS 1.3" : null;
    }

    private static string? FindFault12(ExportedSession session, CipherSuiteInfo suite)
    {
        if (session.ClientSecret.Length != MasterSecretLength)
            return "a master secret that is not 48 bytes";
        if (session.ServerSecret.Length != 0 || session.ExporterSecret.Length != 0)
            return "traffic secrets with TLS 1.2";
        if (session.ClientRandom.Length != RandomLength || session.ServerRandom.Length != RandomLength)
            return "randoms that are not 32 bytes";
        if (session.ClientKeyBase != 0 || session.ServerKeyBase != 0)
            return "a second key with TLS 1.2";
        if (session.ResumptionId.Length is not (0 or ResumptionIdLength))
            return "a resumption id that is not 32 bytes";
        if (session.ExplicitNonceBase != 0 && suite.Kind != CipherKind.AesGcm)
            return "an explicit nonce with a suite that has none";
        return session.EncryptThenMac && suite.IsAead ? "encrypt-then-MAC with a suite that has no MAC" : null;
    }

    private static string? FindTextFault(string? text)
    {
        if (text is null)
            return null;
        foreach (var c in text)
        {
            if (char.IsControl(c) || char.IsSurrogate(c))
                return "with characters that no name has";
        }

        return Encoding.UTF8.GetByteCount(text) > byte.MaxValue ? "longer than 255 bytes" : null;
    }
}
