using System.Buffers;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>Who owns what, and until when.</summary>
public sealed class LifetimeTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Fact]
    public void Handshake_under_way_outlives_its_factory()
    {
        var factory = NewFactory();
        using var client = new OpenSslClient(new ClientSettings { ApplicationProtocols = ["h2"] }, certificates.AuthorityPath);
        using var handshake = factory.Create(new ClientHello());
        factory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => factory.Create(new ClientHello()));

        var (_, flight) = TestConnection.Advance(handshake, client.Handshake([]));
        var (last, _) = TestConnection.Advance(handshake, client.Handshake(flight));

        Assert.Equal(HandshakeStatus.Complete, last.Status);
        Assert.Equal("h2", client.ApplicationProtocol);
        handshake.Export().Dispose();
    }

    [Fact]
    public void Disposed_handshake_takes_nothing_and_gives_nothing()
    {
        using var factory = NewFactory();
        using var client = new OpenSslClient(new ClientSettings(), certificates.AuthorityPath);
        var handshake = factory.Create(new ClientHello());
        var (_, flight) = TestConnection.Advance(handshake, client.Handshake([]));
        Assert.Equal(HandshakeStatus.Complete, TestConnection.Advance(handshake, client.Handshake(flight)).Step.Status);

        handshake.Dispose();
        handshake.Dispose();

        Assert.Throws<InvalidOperationException>(handshake.Export);
        Assert.Throws<ObjectDisposedException>(() => handshake.Advance([], new ArrayBufferWriter<byte>()));
    }

    [Fact]
    public void Exported_session_outlives_its_handshake()
    {
        using var factory = NewFactory();
        using var connection = TestConnection.Establish(factory, new ClientSettings(), certificates.AuthorityPath);
        using var data = connection.StartData();
        Assert.Equal("still here"u8, connection.ToServer(data, "still here"u8));
    }

    [Fact]
    public void Factory_serves_many_threads_at_once()
    {
        using var factory = NewFactory();
        Parallel.For(0, 64, i =>
        {
            var version = i % 2 == 0 ? TlsVersion.Tls13 : TlsVersion.Tls12;
            using var connection = TestConnection.Establish(factory, new ClientSettings { Version = (ushort)version }, certificates.AuthorityPath);
            using var data = connection.StartData();
            Assert.Equal([(byte)i], connection.ToServer(data, [(byte)i]));
            Assert.Equal([(byte)i], connection.ToClient(data, [(byte)i]));
        });
    }

    private OpenSslServerHandshakeFactory NewFactory() => new(certificates.Both, new HandshakeOptions());
}
