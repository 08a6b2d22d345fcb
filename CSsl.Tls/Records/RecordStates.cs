using CSsl.Tls.Keys;
using CSsl.Tls.Records.Protection;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records;

/// <summary>Makes the two states of a connection from its exported session.</summary>
internal static class RecordStates
{
    /// <param name="session">Copied from; stays the caller's to dispose.</param>
    /// <param name="self">Which end writes with which keys.</param>
    /// <param name="limit">Null for the limit of the suite.</param>
    /// <exception cref="ArgumentException">The session contradicts itself.</exception>
    public static (RecordReadState Reader, RecordWriteState Writer) Create(ExportedSession session, TlsEndpoint self, KeyUsageLimit? limit = null)
    {
        var suite = CipherSuiteInfo.Get(session.CipherSuite);
        if (suite.Version != session.Version)
            throw new ArgumentException($"{suite.IanaName} does not belong to {session.Version}.", nameof(session));
        if (session.FragmentLimit is < 1 or > RecordHeader.MaxPlaintext)
            throw new ArgumentException($"A fragment limit of {session.FragmentLimit} bytes.", nameof(session));

        var (client, server) = Keys(session);
        var (readKeys, writeKeys) = self == TlsEndpoint.Server ? (client, server) : (server, client);
        var (readSequence, writeSequence) = self == TlsEndpoint.Server
            ? (session.ClientSequence, session.ServerSequence)
            : (session.ServerSequence, session.ClientSequence);
        return (
            new RecordReadState(readKeys, readSequence),
            new RecordWriteState(writeKeys, writeSequence, session.FragmentLimit, limit ?? KeyUsageLimit.For(suite)));
    }

    /// <summary>The keys of both directions.</summary>
    internal static (TrafficKeyring Client, TrafficKeyring Server) Keys(ExportedSession session)
    {
        var suite = CipherSuiteInfo.Get(session.CipherSuite);
        if (suite.Version == TlsVersion.Tls13)
            return (new TrafficKeyring(suite, session.ClientSecret.Span), new TrafficKeyring(suite, session.ServerSecret.Span));

        var (client, server) = KeyBlock.Derive(suite, session.ClientSecret.Span, session.ClientRandom, session.ServerRandom);
        using (client)
        using (server)
        {
            return (
                new TrafficKeyring(RecordProtection.Create(suite, client, session.ExplicitNonceBase, session.EncryptThenMac)),
                new TrafficKeyring(RecordProtection.Create(suite, server, session.ExplicitNonceBase, session.EncryptThenMac)));
        }
    }
}
