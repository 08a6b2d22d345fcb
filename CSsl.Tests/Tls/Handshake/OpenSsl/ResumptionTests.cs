using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Sessions;
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
        var keyFile = ClusterKeyRing.Generate("one");
        using var here = NewFactory(TicketKeysOf(keyFile));
        using var there = NewFactory(TicketKeysOf(keyFile));
        Assert.True(Resumes(here, there, version));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Ticket_of_another_cluster_leads_to_a_full_handshake(TlsVersion version)
    {
        using var here = NewFactory(TicketKeysOf(ClusterKeyRing.Generate("one")));
        using var there = NewFactory(TicketKeysOf(ClusterKeyRing.Generate("one")));
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
        using var factory = new OpenSslServerHandshakeFactory(source, new HandshakeOptions(), new byte[80]);
        Assert.False(Resumes(factory, factory, version, "a.example", "b.example"));
        Assert.True(Resumes(factory, factory, version, "b.example", "b.example"));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Resumption_is_off_without_tickets(TlsVersion version)
    {
        using var factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions { TicketCount = 0 }, new byte[80]);
        Assert.False(Resumes(factory, factory, version));
    }

    [Fact]
    public void Session_id_without_a_ticket_leads_to_a_full_handshake()
    {
        using var factory = NewFactory(new byte[80]);
        Assert.False(Resumes(factory, factory, TlsVersion.Tls12, tickets: false));
    }

    private static byte[] TicketKeysOf(string keyFile)
    {
        using var ring = ClusterKeyRing.Parse(keyFile);
        using var keys = ring.Derive(OpenSslServerHandshakeFactory.TicketKeysLabel, OpenSslServerHandshakeFactory.TicketKeysLength);
        return keys.Span.ToArray();
    }

    private OpenSslServerHandshakeFactory NewFactory(byte[] ticketKeys) => new(certificates.Both, new HandshakeOptions(), ticketKeys);

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
