using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using CSsl.Hosting;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class ClusterIdentityTests
{
    /// <summary>X of the public key, computed apart: RFC 5869 and the group law in 30 lines of Python.</summary>
    private const string PublicKeyOfOnes = "E052A97C7380E4EAFFF4D6A1BF7E20FD21D7F761A52DEA31204EF6A9669DD494";

    [Fact]
    public void All_who_have_the_key_have_the_same_identity_and_nobody_else()
    {
        using var one = ClusterIdentity.Derive(Key(1));
        using var same = ClusterIdentity.Derive(Key(1));
        using var other = ClusterIdentity.Derive(Key(2));

        Assert.True(one.IsShownBy(same.Certificate));
        Assert.True(same.IsShownBy(one.Certificate));
        Assert.False(one.IsShownBy(other.Certificate));

        // As of the label and the key of bytes 1: a change of either breaks rolling upgrades.
        Assert.Equal(256, one.Certificate.GetECDsaPublicKey()!.KeySize);
        Assert.Equal(PublicKeyOfOnes, Convert.ToHexString(one.Certificate.GetECDsaPublicKey()!.ExportParameters(false).Q.X!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_processes_shake_hands_only_with_the_same_key(bool isSame)
    {
        using var server = ClusterIdentity.Derive(Key(1));
        using var client = ClusterIdentity.Derive(Key(isSame ? (byte)1 : (byte)3));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var socket = new TcpClient();
        await socket.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var accepted = await listener.AcceptTcpClientAsync();
        await using var near = new SslStream(socket.GetStream());
        await using var far = new SslStream(accepted.GetStream());

        var serving = far.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = server.Certificate,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => server.IsShownBy((X509Certificate2)certificate!),
        });
        await near.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "c-ssl",
            ClientCertificates = [client.Certificate],
            RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
        });
        if (isSame)
            await serving;
        else
            await Assert.ThrowsAsync<AuthenticationException>(() => serving);
    }

    [Fact]
    public void Refusals_are_told_once_in_ten_seconds_with_the_number_of_the_others()
    {
        var time = new FakeTimeProvider();
        var logger = new RecordingLogger<RefusedPeers>();
        var refused = new RefusedPeers(time, logger);
        var peer = new IPEndPoint(IPAddress.Loopback, 7);

        for (var i = 0; i < 100; i++)
            refused.Add(peer);
        Assert.Contains("refused 127.0.0.1:7", Assert.Single(logger.Lines).Message, StringComparison.Ordinal);
        Assert.Contains("Cluster:KeyFile", logger.Lines[0].Message, StringComparison.Ordinal);

        time.Advance(TimeSpan.FromSeconds(10));
        refused.Add(peer);
        Assert.Contains("99 more", logger.Lines[1].Message, StringComparison.Ordinal);
    }

    private static byte[] Key(byte value) => [.. Enumerable.Repeat(value, 32)];
}
