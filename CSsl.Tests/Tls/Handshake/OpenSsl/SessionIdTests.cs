using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>TLS 1.2 sessions that are resumed by their id, on whichever silo has what another one stored.</summary>
public sealed class SessionIdTests : IClassFixture<TestCertificates>, IDisposable
{
    private static readonly ClientSettings WithoutTickets = new() { Version = (ushort)TlsVersion.Tls12, Tickets = false };

    private readonly TestCertificates _certificates;
    private readonly TicketKeyRing _ring = TicketKeyRing.Start(DateTimeOffset.UnixEpoch, TimeSpan.FromMinutes(1));
    private readonly Dictionary<string, byte[]> _stored = [];
    private int _lookups;

    public SessionIdTests(TestCertificates certificates) => _certificates = certificates;

    public void Dispose() => _ring.Dispose();

    [Theory]
    [InlineData(CipherSuite.EcdheRsaAes128GcmSha256)]
    [InlineData(CipherSuite.EcdheEcdsaChaCha20Poly1305)]
    [InlineData(CipherSuite.EcdheRsaAes256CbcSha384)]
    public void Session_resumes_at_another_silo(CipherSuite suite)
    {
        using var here = NewFactory();
        using var there = NewFactory();
        var settings = WithoutTickets with { Suite = suite };
        using var session = Make(here, settings);

        using var second = Establish(there, settings with { Resume = session });

        Assert.True(second.Client.Resumed);
        Assert.True(second.Session.Resumed);
        Assert.Null(second.Resumable);
        Assert.Equal(Assert.Single(_stored).Key, Convert.ToHexString(second.Session.ResumptionId));
        using var data = second.StartData();
        Assert.Equal("x"u8, second.ToClient(data, "x"u8));
        Assert.Equal("y"u8, second.ToServer(data, "y"u8));
    }

    [Fact]
    public void Session_that_nobody_has_leads_to_a_full_handshake_and_a_new_session()
    {
        using var factory = NewFactory();
        using var session = Make(factory, WithoutTickets);
        _stored.Clear();

        using var second = Establish(factory, WithoutTickets with { Resume = session });

        Assert.False(second.Client.Resumed);
        Assert.NotNull(second.Resumable);
        Assert.Equal(1, _lookups);
    }

    [Fact]
    public void Session_of_another_name_leads_to_a_full_handshake_even_under_the_same_certificate()
    {
        var files = _certificates.IssueEcdsa("a.example");
        using var factory = NewFactory(new CertificateSource([new CertificateEntry(["a.example", "b.example"], files)]));
        using var session = Make(factory, WithoutTickets with { ServerName = "a.example" });

        using (var other = Establish(factory, WithoutTickets with { ServerName = "b.example", Resume = session }))
            Assert.False(other.Client.Resumed);
        using (var none = Establish(factory, WithoutTickets with { ServerName = null, Resume = session }))
            Assert.False(none.Client.Resumed);
        using (var same = Establish(factory, WithoutTickets with { ServerName = "a.example", Resume = session }))
            Assert.True(same.Client.Resumed);
    }

    [Fact]
    public void Session_of_another_certificate_leads_to_a_full_handshake()
    {
        using var before = NewFactory(new CertificateSource([new CertificateEntry(["a.example"], _certificates.IssueEcdsa("a.example"))]));
        using var after = NewFactory(new CertificateSource([new CertificateEntry(["a.example"], _certificates.IssueEcdsa("a.example"))]));
        using var session = Make(before, WithoutTickets with { ServerName = "a.example" });
        using var second = Establish(after, WithoutTickets with { ServerName = "a.example", Resume = session });
        Assert.False(second.Client.Resumed);
    }

    [Fact]
    public void Id_that_the_cluster_did_not_make_is_not_looked_for()
    {
        // With a random key of its own.
        using var elsewhere = new OpenSslServerHandshakeFactory(_certificates.Both, WithIds);
        using var here = NewFactory();
        using var session = Make(elsewhere, WithoutTickets);
        using var second = Establish(here, WithoutTickets with { Resume = session });
        Assert.False(second.Client.Resumed);
        Assert.Equal(0, _lookups);
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public void Client_with_a_ticket_leaves_no_session_and_asks_for_none(TlsVersion version)
    {
        using var factory = NewFactory();
        var settings = new ClientSettings { Version = (ushort)version };
        using var first = Establish(factory, settings);
        Assert.Null(first.Resumable);
        using (var data = first.StartData())
            first.ToClient(data, "x"u8);

        using var session = first.Client.TakeSession();
        using var second = Establish(factory, settings with { Resume = session });

        Assert.True(second.Client.Resumed);
        Assert.Empty(second.Session.ResumptionId);
        Assert.Equal(0, _lookups);
    }

    [Fact]
    public void Damaged_session_leads_to_a_full_handshake()
    {
        using var factory = NewFactory();
        using var session = Make(factory, WithoutTickets);
        var (id, whole) = Assert.Single(_stored);
        for (var cut = 0; cut < whole.Length; cut += 7)
        {
            _stored[id] = whole[..cut];
            using var second = Establish(factory, WithoutTickets with { Resume = session });
            Assert.False(second.Client.Resumed);
        }
    }

    [Fact]
    public void Session_resumes_under_every_key_of_the_ring_until_its_own_is_gone()
    {
        using var old = NewFactory();
        using var session = Make(old, WithoutTickets);
        var ring = _ring.Copy();
        for (var rotations = 0; rotations <= TicketKeyRing.OldKeys + 1; rotations++)
        {
            using var current = NewFactory(ring: ring, issuing: 0);
            using (var again = Establish(current, WithoutTickets with { Resume = session }))
                Assert.Equal(rotations < TicketKeyRing.OldKeys, again.Client.Resumed);
            using (var made = Make(current, WithoutTickets))
            using (var ahead = Establish(old, WithoutTickets with { Resume = made }))
                Assert.Equal(rotations == 0, ahead.Client.Resumed); // known to a silo that does not issue under it yet

            var next = ring.Rotate(ring.Keys[0].IssueFrom + TimeSpan.FromDays(1), TimeSpan.FromDays(1), TimeSpan.Zero)!;
            ring.Dispose();
            ring = next;
        }

        ring.Dispose();
    }

    [Fact]
    public void Ids_know_their_own()
    {
        using var keys = new TicketKeys();
        Span<byte> id = stackalloc byte[SessionIds.Length];
        keys.MakeSessionId(id);
        Assert.True(keys.IsOurSessionId(id));
        Assert.False(keys.IsOurSessionId(id[..31]));
        Assert.False(keys.IsOurSessionId([]));
        for (var i = 0; i < id.Length; i++)
        {
            id[i] ^= 1;
            Assert.False(keys.IsOurSessionId(id));
            id[i] ^= 1;
        }
    }

    private static HandshakeOptions WithIds { get; } = new() { SessionIds = true };

    private OpenSslServerHandshakeFactory NewFactory(ICertificateSource? source = null, TicketKeyRing? ring = null, int issuing = 1)
    {
        var factory = new OpenSslServerHandshakeFactory(source ?? _certificates.Both, WithIds);
        factory.TicketKeys.Replace(ring ?? _ring, issuing);
        return factory;
    }

    /// <summary>A full handshake whose session is stored.</summary>
    private ClientSession Make(OpenSslServerHandshakeFactory factory, ClientSettings settings)
    {
        using var connection = Establish(factory, settings);
        Assert.False(connection.Client.Resumed);
        var made = Assert.IsType<ResumableSession>(connection.Resumable);
        Assert.Equal(made.Id, connection.Session.ResumptionId);
        _stored[Convert.ToHexString(made.Id)] = made.Content.ToArray();
        return connection.Client.TakeSession();
    }

    private TestConnection Establish(OpenSslServerHandshakeFactory factory, ClientSettings settings) => TestConnection.Establish(factory, settings, _certificates.AuthorityPath, id =>
    {
        _lookups++;
        return _stored.GetValueOrDefault(Convert.ToHexString(id));
    });
}
