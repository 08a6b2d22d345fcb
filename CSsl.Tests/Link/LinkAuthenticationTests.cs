using System.Security.Cryptography;
using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Keys;
using CSsl.Tls.Engines;
using CSsl.Tls.Keys;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Link;

public class LinkAuthenticationTests
{
    private static readonly LinkIdentity Gateway = new("gateway-1", "test");
    private static readonly LinkIdentity Silo = new("silo-1", "test");

    [Fact]
    public async Task Peer_with_another_cluster_key_is_refused_at_both_ends()
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        var silo = ConnectAsync(other, Silo, new TestAcceptor(), key: RandomNumberGenerator.GetBytes(32));

        Assert.Equal("The peer 'silo-1' does not know the cluster key.", (await RefusedAsync(gateway)).Message);
        await RefusedAsync(silo);
    }

    [Fact]
    public async Task Peer_of_another_cluster_is_refused_at_both_ends()
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        var silo = ConnectAsync(other, Silo with { ClusterId = "production" }, new TestAcceptor());

        Assert.Equal("The peer 'silo-1' is of the cluster 'production', this end of 'test'.", (await RefusedAsync(gateway)).Message);
        Assert.Equal("The peer 'gateway-1' is of the cluster 'test', this end of 'production'.", (await RefusedAsync(silo)).Message);
    }

    [Fact]
    public async Task Two_gateways_refuse_each_other()
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        var second = ConnectAsync(other, Gateway with { Name = "gateway-2" }, acceptor: null);

        Assert.Contains("'gateway-2' is a gateway, as this end is", (await RefusedAsync(gateway)).Message, StringComparison.Ordinal);
        await RefusedAsync(second);
    }

    [Fact]
    public async Task Peer_that_sends_back_what_it_gets_is_refused()
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        await WriteAsync(other, FrameKind.Hello, await ReadAsync(other, FrameKind.Hello));

        await RefusedAsync(gateway);
    }

    [Fact]
    public async Task Peer_that_claims_to_be_the_other_end_and_sends_the_proof_back_is_refused()
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        var hello = Hello.Decode(await ReadAsync(other, FrameKind.Hello));
        await WriteAsync(other, FrameKind.Hello, (hello with { End = LinkEnd.Silo }).Encode());
        await WriteAsync(other, FrameKind.Proof, await ReadAsync(other, FrameKind.Proof));

        Assert.Contains("does not know the cluster key", (await RefusedAsync(gateway)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proof_of_one_link_is_no_proof_on_another()
    {
        // A silo that relays: it has a real silo prove itself to its own hello, whose key it chose.
        var (one, other) = InProcessStream.CreatePair();
        var (three, four) = InProcessStream.CreatePair();
        using var own = X25519KeyPair.Create();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        var silo = ConnectAsync(four, Silo, new TestAcceptor());
        var gatewayHello = Hello.Decode(await ReadAsync(other, FrameKind.Hello));
        var siloHello = await ReadAsync(three, FrameKind.Hello);
        await WriteAsync(three, FrameKind.Hello, (gatewayHello with { KeyShare = own.PublicKey }).Encode());
        await WriteAsync(other, FrameKind.Hello, siloHello);
        await WriteAsync(other, FrameKind.Proof, await ReadAsync(three, FrameKind.Proof));

        Assert.Contains("does not know the cluster key", (await RefusedAsync(gateway)).Message, StringComparison.Ordinal);
        await three.DisposeAsync();
        await RefusedAsync(silo);
    }

    [Fact]
    public async Task Links_that_somebody_between_them_has_agreed_with_both_are_refused()
    {
        var (one, other) = InProcessStream.CreatePair();
        var (three, four) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        var silo = ConnectAsync(four, Silo, new TestAcceptor());
        using var own = X25519KeyPair.Create();
        await WriteAsync(three, FrameKind.Hello, (Hello.Decode(await ReadAsync(other, FrameKind.Hello)) with { KeyShare = own.PublicKey }).Encode());
        await WriteAsync(other, FrameKind.Hello, (Hello.Decode(await ReadAsync(three, FrameKind.Hello)) with { KeyShare = own.PublicKey }).Encode());
        await WriteAsync(three, FrameKind.Proof, await ReadAsync(other, FrameKind.Proof));
        await WriteAsync(other, FrameKind.Proof, await ReadAsync(three, FrameKind.Proof));

        Assert.Contains("does not know the cluster key", (await RefusedAsync(gateway)).Message, StringComparison.Ordinal);
        Assert.Contains("does not know the cluster key", (await RefusedAsync(silo)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hello_that_was_changed_in_one_bit_on_its_way_is_refused_whatever_bit()
    {
        // Version, end, credit, key share, name, cluster: each is either no hello any more or not what the proof is of.
        for (var at = 0; at < new Hello(LinkEnd.Silo, 1, new byte[32], Silo).Encode().Length; at++)
        {
            var (one, other) = InProcessStream.CreatePair();
            var gateway = ConnectAsync(one, Gateway, acceptor: null);
            var (three, four) = InProcessStream.CreatePair();
            var silo = ConnectAsync(four, Silo, new TestAcceptor());
            await WriteAsync(three, FrameKind.Hello, await ReadAsync(other, FrameKind.Hello));
            var hello = await ReadAsync(three, FrameKind.Hello);
            hello[at] ^= (byte)(1 << (at % 8));
            var proof = await ReadAsync(three, FrameKind.Proof);
            var said = new byte[2 * FrameHeader.Size + hello.Length + proof.Length];
            new FrameHeader(hello.Length, 0, FrameKind.Hello).Write(said);
            hello.CopyTo(said, FrameHeader.Size);
            new FrameHeader(proof.Length, 0, FrameKind.Proof).Write(said.AsSpan(FrameHeader.Size + hello.Length));
            proof.CopyTo(said, said.Length - proof.Length);
            await other.WriteAsync(said);

            await RefusedAsync(gateway);
            await three.DisposeAsync();
            await RefusedAsync(silo);
        }
    }

    [Theory]
    [MemberData(nameof(X25519KeyPairTests.LowOrderPoints), MemberType = typeof(X25519KeyPairTests))]
    public async Task Key_share_that_shares_nothing_is_refused_before_anything_is_proven(string point)
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        await ReadAsync(other, FrameKind.Hello);
        await WriteAsync(other, FrameKind.Hello, new Hello(LinkEnd.Silo, 1, Convert.FromHexString(point), Silo).Encode());

        Assert.Equal("The peer 'silo-1' sent a key share that shares nothing.", (await RefusedAsync(gateway)).Message);
        Assert.Equal(0, await other.ReadAsync(new byte[1]).AsTask().WaitAsync(TestLinks.Patience));
    }

    [Fact]
    public async Task Silent_peer_is_given_up_after_the_connect_timeout()
    {
        var (one, other) = InProcessStream.CreatePair();
        var time = new FakeTimeProvider();
        var gateway = ConnectAsync(one, Gateway, acceptor: null, time: time);
        await ReadAsync(other, FrameKind.Hello);
        time.Advance(new LinkOptions().ConnectTimeout - TimeSpan.FromMilliseconds(1));
        Assert.False(gateway.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal("The peer did not prove the cluster key within 2 s.", (await RefusedAsync(gateway)).Message);
        await AssertClosedAsync(other);
    }

    [Fact]
    public async Task Peer_that_closes_is_no_peer()
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        await ReadAsync(other, FrameKind.Hello);
        await other.DisposeAsync();

        Assert.Equal("The peer closed the connection before it had proved the cluster key.", (await RefusedAsync(gateway)).Message);
    }

    [Fact]
    public async Task Caller_that_gives_up_gets_its_own_cancellation_and_the_transport_is_closed()
    {
        var (one, other) = InProcessStream.CreatePair();
        using var cancel = new CancellationTokenSource();
        var gateway = DataLink.ConnectAsync(one, Gateway, TestLinks.Key, null, new LinkOptions(), TimeProvider.System, TestLinks.Engine, cancel.Token);
        await ReadAsync(other, FrameKind.Hello);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gateway.WaitAsync(TestLinks.Patience));
        await AssertClosedAsync(other);
    }

    [Fact]
    public async Task Hello_that_claims_to_be_huge_is_refused_before_it_is_read()
    {
        var (one, other) = InProcessStream.CreatePair();
        var gateway = ConnectAsync(one, Gateway, acceptor: null);
        var header = new byte[FrameHeader.Size];
        new FrameHeader(Hello.MaxLength + 1, 0, FrameKind.Hello).Write(header);
        await other.WriteAsync(header);

        Assert.Contains($"a frame of {Hello.MaxLength + 1} bytes", (await RefusedAsync(gateway)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Peer_that_sends_anything_but_a_hello_is_refused()
    {
        var random = new Random(20261122);
        var hello = new Hello(LinkEnd.Silo, 1, new byte[32], Silo).Encode();
        var valid = new byte[FrameHeader.Size + hello.Length];
        new FrameHeader(hello.Length, 0, FrameKind.Hello).Write(valid);
        hello.CopyTo(valid, FrameHeader.Size);

        // Never a proof, which random bytes can't be; and always the end of the stream.
        for (var round = 0; round < 300; round++)
        {
            var (one, other) = InProcessStream.CreatePair();
            var gateway = ConnectAsync(one, Gateway, acceptor: null);
            var garbage = round % 3 == 0 ? RandomNumberGenerator.GetBytes(random.Next(1, 2000)) : Mutation.Of(valid, random);
            await other.WriteAsync(garbage);
            await ReadAsync(other, FrameKind.Hello);
            await other.DisposeAsync();
            await RefusedAsync(gateway);
        }
    }

    [Fact]
    public async Task Nothing_beyond_the_proof_is_read_while_authenticating()
    {
        var (one, other) = InProcessStream.CreatePair();
        var connecting = ConnectAsync(one, Gateway, acceptor: null);
        using var peer = await LinkAuthentication.RunAsync(other, LinkEnd.Silo, 1, Silo, TestLinks.Key, TestLinks.Patience, TimeProvider.System, default);
        using var sealing = new LinkCipher(TestLinks.Engine, RecordDirection.Seal, peer.Keys.TrafficSecretOf(LinkEnd.Silo));
        await other.WriteAsync(Batches.Seal(sealing, ScriptedPeer.Frame(FrameKind.Goodbye, 0)));
        var gateway = await connecting;

        var run = gateway.RunAsync(default);
        await Eventually.TrueAsync(() => gateway.PeerLeaving, "the Goodbye that followed the proof arrived");
        await gateway.DisposeAsync();
        Assert.Equal("This end closed the link.", (await run).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two\nlines")]
    public async Task Identity_is_refused_here_when_it_can_not_be_sent(string name)
    {
        var (one, other) = InProcessStream.CreatePair();
        await Assert.ThrowsAsync<ArgumentException>(() => ConnectAsync(one, Gateway with { Name = name }, acceptor: null));
        await AssertClosedAsync(other);
    }

    [Fact]
    public async Task Short_cluster_key_is_refused_here()
    {
        var (one, other) = InProcessStream.CreatePair();
        await Assert.ThrowsAsync<ArgumentException>(() => ConnectAsync(one, Gateway, acceptor: null, key: new byte[31]));
        await AssertClosedAsync(other);
    }

    private static Task<DataLink> ConnectAsync(Stream stream, LinkIdentity self, ILinkAcceptor? acceptor, byte[]? key = null, TimeProvider? time = null)
        => DataLink.ConnectAsync(stream, self, key ?? TestLinks.Key, acceptor, new LinkOptions(), time ?? TimeProvider.System, TestLinks.Engine, default);

    private static Task<LinkException> RefusedAsync(Task<DataLink> connecting) => Assert.ThrowsAsync<LinkException>(() => connecting.WaitAsync(TestLinks.Patience));

    private static async Task AssertClosedAsync(Stream other)
    {
        var rest = new byte[4096];
        while (await other.ReadAsync(rest).AsTask().WaitAsync(TestLinks.Patience) > 0)
        {
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, FrameKind kind)
    {
        var header = new byte[FrameHeader.Size];
        await stream.ReadExactlyAsync(header).AsTask().WaitAsync(TestLinks.Patience);
        var frame = FrameHeader.Read(header, LinkChannel.MaxPayload);
        Assert.Equal(kind, frame.Kind);
        var payload = new byte[frame.Length];
        await stream.ReadExactlyAsync(payload).AsTask().WaitAsync(TestLinks.Patience);
        return payload;
    }

    private static async Task WriteAsync(Stream stream, FrameKind kind, byte[] payload)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, 0, kind).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        await stream.WriteAsync(frame);
    }
}
