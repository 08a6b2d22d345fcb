using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>Tickets of one handshake silo at another.</summary>
public sealed class ResumptionTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    public static TheoryData<TlsVersion> Versions => [TlsVersion.Tls13, TlsVersion.Tls12];

    [Theory]
    [MemberData(nameof(Versions))]
    public void Ticket_resumes_at_another_silo_of_the_cluster(TlsVersion version)
    {
        using var ring = TicketKeyRing.Start(DateTimeOffset.UtcNow, TimeSpan.Zero);
        using var here = NewFactory(ring);
        using var there = NewFactory(ring);
        Assert.True(Resumes(here, there, version));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Ticket_of_another_cluster_leads_to_a_full_handshake(TlsVersion version)
    {
        using var here = NewFactory();
        using var there = NewFactory();
        Assert.True(Resumes(here, here, version));
        Assert.False(Resumes(here, there, version));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Ticket_of_another_certificate_leads_to_a_full_handshake(TlsVersion version)
    {
        // One ticket key, two virtual hosts: a session of the first is no proof of identity at the second.
        var source = new CertificateSource(
        [
            new CertificateEntry(["a.example"], certificates.IssueEcdsa("a.example")),
            new CertificateEntry(["b.example"], certificates.IssueEcdsa("b.example")),
        ]);
        using var factory = new OpenSslServerHandshakeFactory(source, new HandshakeOptions());
        Assert.False(Resumes(factory, factory, version, "a.example", "b.example"));
        Assert.True(Resumes(factory, factory, version, "b.example", "b.example"));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Resumption_is_off_without_tickets(TlsVersion version)
    {
        using var factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions { TicketCount = 0 });
        Assert.False(Resumes(factory, factory, version));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Ticket_opens_under_a_key_that_is_not_issued_under_yet(TlsVersion version)
    {
        // At the moment of a rotation one silo issues under the new key already, and another one does not yet.
        using var ring = TicketKeyRing.Start(DateTimeOffset.UnixEpoch, TimeSpan.Zero);
        using var ahead = NewFactory();
        using var behind = NewFactory();
        ahead.TicketKeys.Replace(ring, issuing: 0);
        behind.TicketKeys.Replace(ring, issuing: 1);
        Assert.True(Resumes(ahead, behind, version));
        Assert.True(Resumes(behind, ahead, version));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Ticket_opens_for_two_rotations_and_not_after_the_third(TlsVersion version)
    {
        var now = DateTimeOffset.UnixEpoch;
        var rotation = TimeSpan.FromHours(1);
        using var old = NewFactory();
        using var current = NewFactory();
        var rings = new List<TicketKeyRing> { TicketKeyRing.Start(now, TimeSpan.Zero) };
        old.TicketKeys.Replace(rings[0], issuing: 0);
        for (var rotations = 0; rotations <= 3; rotations++)
        {
            current.TicketKeys.Replace(rings[^1], issuing: 0);
            Assert.Equal(rotations < 3, Resumes(old, current, version));
            rings.Add(rings[^1].Rotate(now += rotation, rotation, TimeSpan.Zero)!);
        }

        rings.ForEach(static ring => ring.Dispose());
    }

    [Fact]
    public void Ticket_under_an_old_key_is_replaced_by_one_under_the_new()
    {
        using var ring = TicketKeyRing.Start(DateTimeOffset.UnixEpoch, TimeSpan.Zero);
        using var old = NewFactory();
        using var current = NewFactory();
        old.TicketKeys.Replace(ring, issuing: 1);
        current.TicketKeys.Replace(ring, issuing: 0);
        var settings = new ClientSettings { Version = (ushort)TlsVersion.Tls12 };
        using var first = TestConnection.Establish(old, settings, certificates.AuthorityPath);
        using var ticket = first.Client.TakeSession();

        using var second = TestConnection.Establish(current, settings with { Resume = ticket }, certificates.AuthorityPath);
        Assert.True(second.Client.Resumed);
        using var renewed = second.Client.TakeSession();
        using var third = TestConnection.Establish(current, settings with { Resume = renewed }, certificates.AuthorityPath);

        Assert.True(third.Client.Resumed);
        Assert.Equal(ring.Keys[1].Bytes[..TicketKey.NameLength], ticket.Ticket[..TicketKey.NameLength]);
        Assert.Equal(ring.Keys[0].Bytes[..TicketKey.NameLength], renewed.Ticket[..TicketKey.NameLength]);
    }

    [Fact]
    public void Each_handshake_in_TLS_1_3_brings_one_new_ticket()
    {
        using var factory = NewFactory();
        var settings = new ClientSettings();
        var tickets = new HashSet<string>();
        ClientSession? session = null;
        for (var connections = 0; connections < 5; connections++)
        {
            using var connection = TestConnection.Establish(factory, settings with { Resume = session }, certificates.AuthorityPath);
            Assert.Equal(connections > 0, connection.Client.Resumed);
            Assert.Equal(1UL, connection.Session.ServerSequence);
            using (var data = connection.StartData())
                Assert.Equal("x"u8, connection.ToClient(data, "x"u8));
            session?.Dispose();
            session = connection.Client.TakeSession();
            Assert.True(tickets.Add(Convert.ToHexString(session.Ticket)), "the same ticket again");
        }

        session?.Dispose();
    }

    [Fact]
    public void Ticket_of_TLS_1_2_stays_good_while_its_key_is_issued_under()
    {
        using var factory = NewFactory();
        var settings = new ClientSettings { Version = (ushort)TlsVersion.Tls12 };
        using var first = TestConnection.Establish(factory, settings, certificates.AuthorityPath);
        using var ticket = first.Client.TakeSession();

        using var second = TestConnection.Establish(factory, settings with { Resume = ticket }, certificates.AuthorityPath);

        Assert.True(second.Client.Resumed);
        using var same = second.Client.TakeSession();
        Assert.Equal(ticket.Ticket, same.Ticket);
    }

    [Fact]
    public async Task Keys_are_replaced_while_handshakes_are_under_way()
    {
        using var factory = NewFactory();
        using var ring = TicketKeyRing.Start(DateTimeOffset.UnixEpoch, TimeSpan.Zero);
        using var stop = new CancellationTokenSource();
        var replacing = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                factory.TicketKeys.Replace(ring, i % 2);
        });
        factory.TicketKeys.Replace(ring, 0);
        Parallel.For(0, 32, i => Assert.True(Resumes(factory, factory, i % 2 == 0 ? TlsVersion.Tls13 : TlsVersion.Tls12)));
        await stop.CancelAsync();
        await replacing;
    }

    [Fact]
    public void Session_id_without_a_ticket_leads_to_a_full_handshake()
    {
        using var factory = NewFactory();
        Assert.False(Resumes(factory, factory, TlsVersion.Tls12, tickets: false));
    }

    private OpenSslServerHandshakeFactory NewFactory(TicketKeyRing? ring = null)
    {
        var factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions());
        if (ring is not null)
            factory.TicketKeys.Replace(ring, issuing: 0);
        return factory;
    }

    private bool Resumes(
        OpenSslServerHandshakeFactory here,
        OpenSslServerHandshakeFactory there,
        TlsVersion version,
        string firstName = "localhost",
        string secondName = "localhost",
        bool tickets = true)
    {
        var settings = new ClientSettings { Version = (ushort)version, ServerName = firstName, Tickets = tickets };
        using var first = TestConnection.Establish(here, settings, certificates.AuthorityPath);
        using (var data = first.StartData())
            Assert.Equal("x"u8, first.ToClient(data, "x"u8));

        using var session = first.Client.TakeSession();
        using var second = TestConnection.Establish(
            there, settings with { ServerName = secondName, Resume = session }, certificates.AuthorityPath);
        Assert.Equal(second.Client.Resumed, second.Session.Resumed);
        using (var data = second.StartData())
            Assert.Equal("y"u8, second.ToClient(data, "y"u8));
        return second.Client.Resumed;
    }
}
