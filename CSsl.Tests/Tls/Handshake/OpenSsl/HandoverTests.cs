using System.Security.Cryptography;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>Keys, sequence numbers and nonces are right when the client goes on talking to the data phase as if nothing had happened.</summary>
public sealed class HandoverTests : IClassFixture<TestCertificates>, IDisposable
{
    private readonly TestCertificates _certificates;
    private readonly OpenSslServerHandshakeFactory _factory;

    public HandoverTests(TestCertificates certificates)
    {
        _certificates = certificates;
        _factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions());
    }

    /// <summary>Every suite, with both certificates where the suite does not decide, and both MAC orders where there is a MAC.</summary>
    public static TheoryData<CipherSuite, string?, bool> Suites
    {
        get
        {
            var data = new TheoryData<CipherSuite, string?, bool>();
            foreach (var suite in CipherSuiteInfo.All)
            {
                if (suite.Version == TlsVersion.Tls13)
                {
                    data.Add(suite.Suite, "RSA-PSS+SHA256", true);
                    data.Add(suite.Suite, "ECDSA+SHA256", true);
                }
                else
                {
                    data.Add(suite.Suite, null, true);
                    if (!suite.IsAead)
                        data.Add(suite.Suite, null, false);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Data_phase_goes_on_where_handshake_ended(CipherSuite suite, string? signatures, bool encryptThenMac)
    {
        var info = CipherSuiteInfo.Get(suite);
        using var connection = Establish(new ClientSettings
        {
            Version = (ushort)info.Version,
            Suite = suite,
            SignatureAlgorithms = signatures,
            EncryptThenMac = encryptThenMac,
        });

        Assert.Equal(suite, connection.Session.CipherSuite);
        Assert.Equal(info.Version, connection.Session.Version);
        Assert.Equal(!info.IsAead && encryptThenMac, connection.Session.EncryptThenMac);
        AssertTalks(connection);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Data_phase_goes_on_after_resumption(TlsVersion version)
    {
        var settings = new ClientSettings { Version = (ushort)version };
        using var first = Establish(settings);
        AssertTalks(first);
        using var session = first.Client.TakeSession();

        using var second = Establish(settings with { Resume = session });

        Assert.True(second.Client.Resumed);
        Assert.True(second.Session.Resumed);
        AssertTalks(second);
    }

    [Fact]
    public void Data_phase_goes_on_after_hello_retry_request()
    {
        // The client's first key share is for a group that the server does not take.
        using var factory = new OpenSslServerHandshakeFactory(
            _certificates.Both, new HandshakeOptions { Groups = ["P-384"] });
        using var connection = TestConnection.Establish(
            factory, new ClientSettings { Groups = "X25519:P-384" }, _certificates.AuthorityPath);

        AssertTalks(connection);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13, 0)]
    [InlineData(TlsVersion.Tls13, 1)]
    [InlineData(TlsVersion.Tls13, 5)]
    [InlineData(TlsVersion.Tls12, 0)]
    public void Data_phase_goes_on_after_any_number_of_tickets(TlsVersion version, int tickets)
    {
        using var factory = new OpenSslServerHandshakeFactory(
            _certificates.Both, new HandshakeOptions { TicketCount = tickets });
        using var connection = TestConnection.Establish(factory, new ClientSettings { Version = (ushort)version }, _certificates.AuthorityPath);

        Assert.Equal(version == TlsVersion.Tls13 ? (ulong)tickets : 1, connection.Session.ServerSequence);
        AssertTalks(connection);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13, 1, 512)]
    [InlineData(TlsVersion.Tls13, 4, 4096)]
    [InlineData(TlsVersion.Tls12, 1, 512)]
    [InlineData(TlsVersion.Tls12, 2, 1024)]
    [InlineData(TlsVersion.Tls12, 3, 2048)]
    [InlineData(TlsVersion.Tls12, 0, 16384)]
    public void Fragment_limit_is_what_the_client_asked_for(TlsVersion version, byte code, int limit)
    {
        using var connection = Establish(new ClientSettings { Version = (ushort)version, MaxFragmentCode = code });

        Assert.Equal(limit, connection.Session.FragmentLimit);
        AssertTalks(connection);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Exported_keying_material_is_the_clients(TlsVersion version)
    {
        using var connection = Establish(new ClientSettings { Version = (ushort)version });
        using var data = connection.StartData();
        var material = new byte[40];

        data.Exporter.Export("EXPORTER-c-ssl-test", material);

        Assert.Equal(connection.Client.ExportKeyingMaterial("EXPORTER-c-ssl-test", material.Length), material);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13, false)]
    [InlineData(TlsVersion.Tls12, true)]
    public void Records_behind_the_clients_finished_are_left_for_the_data_phase(TlsVersion version, bool resumed)
    {
        var settings = new ClientSettings { Version = (ushort)version };
        using var first = Establish(settings);
        using var session = first.Client.TakeSession();
        using var client = new OpenSslClient(resumed ? settings with { Resume = session } : settings, _certificates.AuthorityPath);
        using var handshake = _factory.Create(new ClientHello { ServerName = "localhost" });

        var (hello, flight) = TestConnection.Advance(handshake, client.Handshake([]));
        Assert.Equal(HandshakeStatus.NeedMore, hello.Status);
        var finished = client.Handshake(flight);
        Assert.True(client.IsConnected);
        var early = client.Write("at once"u8);
        var (last, tickets) = TestConnection.Advance(handshake, [.. finished, .. early]);

        Assert.Equal(HandshakeStatus.Complete, last.Status);
        Assert.Equal(finished.Length, last.Consumed);
        using var data = new CSsl.Tls.Records.DataPhase(handshake.Export());
        Assert.Equal("at once"u8, TestConnection.Open(data, early));
        Assert.Empty(client.Read(tickets));
    }

    public void Dispose() => _factory.Dispose();

    private static void AssertTalks(TestConnection connection)
    {
        using var data = connection.StartData();
        var request = RandomNumberGenerator.GetBytes(40_000);
        var response = RandomNumberGenerator.GetBytes(50_000);
        Assert.Equal("hello"u8, connection.ToServer(data, "hello"u8));
        Assert.Equal("world"u8, connection.ToClient(data, "world"u8));
        Assert.Equal(request, connection.ToServer(data, request));
        Assert.Equal(response, connection.ToClient(data, response));
    }

    private TestConnection Establish(ClientSettings settings) => TestConnection.Establish(_factory, settings, _certificates.AuthorityPath);
}
