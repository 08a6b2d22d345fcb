using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>Handshakes of a client whose bytes are damaged on the way: the server refuses or waits, and never throws.</summary>
public sealed class MutationTests : IClassFixture<TestCertificates>, IDisposable
{
    private const int Rounds = 1500;

    private readonly TestCertificates _certificates;
    private readonly OpenSslServerHandshakeFactory _factory;

    public MutationTests(TestCertificates certificates)
    {
        _certificates = certificates;
        _factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions());
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Damaged_hello_never_throws(TlsVersion version)
    {
        using var client = NewClient(version);
        var hello = client.Handshake([]);
        var random = new Random(20261122);
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            using var handshake = _factory.Create(new ClientHello());
            refused += Feed(handshake, Mutate(hello, random), random) == HandshakeStatus.Failed ? 1 : 0;
        }

        // Most damage is seen at once; some waits for more bytes or is in bytes that a server ignores.
        Assert.InRange(refused, Rounds / 4, Rounds);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Damaged_second_flight_never_completes(TlsVersion version)
    {
        var random = new Random(1122);
        for (var round = 0; round < Rounds / 10; round++)
        {
            using var client = NewClient(version);
            using var handshake = _factory.Create(new ClientHello());
            var (_, flight) = TestConnection.Advance(handshake, client.Handshake([]));
            var second = client.Handshake(flight);

            // The last record is the Finished: whatever changes in it, the handshake must not complete.
            var at = second.Length - 1 - random.Next(20);
            second[at] ^= (byte)(1 << random.Next(8));

            Assert.Equal(HandshakeStatus.Failed, Feed(handshake, second, random));
        }
    }

    [Fact]
    public void Noise_never_throws()
    {
        var random = new Random(7);
        var noise = new byte[512];
        for (var round = 0; round < Rounds; round++)
        {
            using var handshake = _factory.Create(new ClientHello());
            random.NextBytes(noise);
            Feed(handshake, noise.AsSpan(0, random.Next(noise.Length)), random);
        }
    }

    public void Dispose() => _factory.Dispose();

    /// <summary>Feeds in pieces, as records may come; checks the rules of <see cref="HandshakeStep"/> on the way.</summary>
    private static HandshakeStatus Feed(IServerHandshake handshake, ReadOnlySpan<byte> input, Random random)
    {
        HandshakeStep step = default;
        for (int start = 0, end = 0; end < input.Length;)
        {
            end = Math.Min(input.Length, end + 1 + random.Next(input.Length));
            (step, var output) = TestConnection.Advance(handshake, input[start..end]);
            start += step.Consumed;
            Assert.Equal(step.Status == HandshakeStatus.Failed, step.Error is not null);
            Assert.True(output.Length is 0 or >= 7, "A record is longer than its header.");
        }

        return step.Status;
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = new List<byte>(original);
        for (var i = random.Next(3); i >= 0; i--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2 when bytes.Count > 8:
                    bytes.RemoveRange(at, Math.Min(1 + random.Next(4), bytes.Count - at));
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(8), bytes.Count - at)));
                    break;
            }
        }

        return [.. bytes];
    }

    private OpenSslClient NewClient(TlsVersion version)
        => new(new ClientSettings { Version = (ushort)version, ApplicationProtocols = ["h2", "http/1.1"] }, _certificates.AuthorityPath);
}
