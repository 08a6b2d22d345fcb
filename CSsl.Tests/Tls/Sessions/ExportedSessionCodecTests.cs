using CSsl.Tls;
using CSsl.Tls.Sessions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Sessions;

public sealed class ExportedSessionCodecTests
{
    [Fact]
    public void Session_comes_back_as_it_went()
        => Prop.ForAll(ExportedSessions.Any, static session =>
        {
            using var encoded = ExportedSessionCodec.Encode(session);
            using var decoded = ExportedSessionCodec.Decode(encoded.Span);
            Assert.InRange(encoded.Length, 1, ExportedSessionCodec.MaxEncodedLength);
            Assert.Equal(ExportedSessions.Content(session), ExportedSessions.Content(decoded));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Encoded_session_that_is_cut_or_lengthened_is_refused()
        => Prop.ForAll(ExportedSessions.Any, static session =>
        {
            using var encoded = ExportedSessionCodec.Encode(session);
            var bytes = encoded.Span.ToArray();
            for (var length = 0; length < bytes.Length; length += 1 + (length / 64))
                Assert.Throws<SealedSessionException>(() => ExportedSessionCodec.Decode(bytes.AsSpan(0, length)));
            Assert.Throws<SealedSessionException>(() => ExportedSessionCodec.Decode([.. bytes, 0]));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Damaged_session_is_refused_or_says_something_else_exactly()
    {
        var damage = Gen.Choose(0, 200).SelectMany(static at => Gen.Choose(1, 255).Select(flip => (At: at, Flip: flip))).ToArbitrary();
        Prop.ForAll(ExportedSessions.Any, damage, static (session, damage) =>
        {
            using var encoded = ExportedSessionCodec.Encode(session);
            var bytes = encoded.Span.ToArray();
            bytes[damage.At % bytes.Length] ^= (byte)damage.Flip;
            if (TryDecode(bytes) is not { } decoded)
                return;

            using (decoded)
            {
                using var again = ExportedSessionCodec.Encode(decoded);
                Assert.Equal(bytes, again.Span);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Unknown_version_is_named()
    {
        using var session = ExportedSessions.Sample();
        using var encoded = ExportedSessionCodec.Encode(session);
        var bytes = encoded.Span.ToArray();
        bytes[0] = 7;
        Assert.Equal(
            "Session codec version 7 is unknown here (this build reads 3).",
            Assert.Throws<SealedSessionException>(() => ExportedSessionCodec.Decode(bytes)).Message);
    }

    [Fact]
    public void Session_that_contradicts_itself_is_not_encoded()
    {
        Refuses("a cipher suite of another TLS version", version: TlsVersion.Tls12);
        Refuses("a cipher suite that C-SSL does not negotiate", suite: (CipherSuite)0x0005);
        Refuses("traffic secrets whose length is not the suite's", suite: CipherSuite.Aes256GcmSha384);
        Refuses("a fragment limit out of range", fragmentLimit: 63);
        Refuses("a fragment limit out of range", fragmentLimit: (1 << 14) + 1);
        Refuses("a server name longer than 255 bytes", serverName: new string('a', 256));
        Refuses("a server name with characters that no name has", serverName: "a\nb");
        Refuses("a peer certificate that is too long", certificateLength: ExportedSessionCodec.MaxPeerCertificateLength + 1);
        Refuses("TLS 1.2 settings with TLS 1.3", encryptThenMac: true);
        Refuses("a key that is newer than its records", clientKeyBase: 1);
    }

    private static ExportedSession? TryDecode(byte[] bytes)
    {
        try
        {
            return ExportedSessionCodec.Decode(bytes);
        }
        catch (SealedSessionException)
        {
            return null;
        }
    }

    private static void Refuses(
        string fault,
        TlsVersion version = TlsVersion.Tls13,
        CipherSuite suite = CipherSuite.Aes128GcmSha256,
        int fragmentLimit = 1 << 14,
        string? serverName = null,
        int certificateLength = 0,
        bool encryptThenMac = false,
        ulong clientKeyBase = 0)
    {
        using var session = new ExportedSession
        {
            Version = version,
            CipherSuite = suite,
            ClientSecret = new SecretBytes(32),
            ServerSecret = new SecretBytes(32),
            FragmentLimit = fragmentLimit,
            ServerName = serverName,
            PeerCertificate = new byte[certificateLength],
            EncryptThenMac = encryptThenMac,
            ClientKeyBase = clientKeyBase,
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        var refusal = Assert.Throws<ArgumentException>(() => ExportedSessionCodec.Encode(session));
        Assert.Contains(fault, refusal.Message, StringComparison.Ordinal);
    }
}
