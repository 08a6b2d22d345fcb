using CSsl.Tls.Engines;
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
    /// <param name="engine">Seals and opens the records; null for .NET's own ciphers.</param>
    /// <param name="maxPlaintext">Null for the session's limit; tests go beyond what is allowed.</param>
    /// <exception cref="ArgumentException">The session contradicts itself.</exception>
    public static (RecordReadState Reader, RecordWriteState Writer) Create(
        ExportedSession session,
        TlsEndpoint self,
        KeyUsageLimit? limit = null,
        IRecordEngine? engine = null,
        int? maxPlaintext = null)
    {
        var suite = CipherSuiteInfo.Get(session.CipherSuite);
        if (suite.Version != session.Version)
            throw new ArgumentException($"{suite.IanaName} does not belong to {session.Version}.", nameof(session));
        if (session.FragmentLimit is < 1 or > RecordHeader.MaxPlaintext)
            throw new ArgumentException($"A fragment limit of {session.FragmentLimit} bytes.", nameof(session));

        var (read, write) = Keys(session, self, engine ?? ManagedEngine.Instance);
        var (readSequence, writeSequence) = self == TlsEndpoint.Server
            ? (session.ClientSequence - session.ClientKeyBase, session.ServerSequence - session.ServerKeyBase)
            : (session.ServerSequence - session.ServerKeyBase, session.ClientSequence - session.ClientKeyBase);
        return (
            new RecordReadState(read, readSequence),
            new RecordWriteState(write, writeSequence, maxPlaintext ?? session.FragmentLimit, limit ?? KeyUsageLimit.For(suite)));
    }

    /// <summary>The keys of both directions, as one end has them.</summary>
    internal static (TrafficKeyring Read, TrafficKeyring Write) Keys(ExportedSession session, TlsEndpoint self, IRecordEngine engine)
    {
        var suite = CipherSuiteInfo.Get(session.CipherSuite);
        var isServer = self == TlsEndpoint.Server;
        if (suite.Version == TlsVersion.Tls13)
        {
            var (peer, own) = isServer ? (session.ClientSecret, session.ServerSecret) : (session.ServerSecret, session.ClientSecret);
            return Both(new TrafficKeyring(engine, suite, RecordDirection.Open, peer.Span), () => new TrafficKeyring(engine, suite, RecordDirection.Seal, own.Span));
        }

        var (client, server) = KeyBlock.Derive(suite, session.ClientSecret.Span, session.ClientRandom, session.ServerRandom);
        using (client)
        using (server)
            return Both(Keyring(isServer ? client : server, RecordDirection.Open), () => Keyring(isServer ? server : client, RecordDirection.Seal));

        // One without the other is nobody's to wipe.
        static (TrafficKeyring Read, TrafficKeyring Write) Both(TrafficKeyring read, Func<TrafficKeyring> write)
        {
            try
            {
                return (read, write());
            }
            catch
            {
                read.Dispose();
                throw;
            }
        }

        TrafficKeyring Keyring(TrafficKeys keys, RecordDirection direction)
            => new(engine, RecordProtection.Create(engine, suite, keys, direction, session.ExplicitNonceBase, session.EncryptThenMac));
    }
}
