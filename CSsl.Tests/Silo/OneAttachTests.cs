using System.Text;
using CSsl.Link;
using CSsl.Silo.Transport;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Records;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>A gateway, or somebody who speaks like one, brings one capsule with the same records to two silos: one serves it.</summary>
public sealed class OneAttachTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const string Post = "POST /order HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";

    private readonly Guid _id = Guid.NewGuid();

    [Theory]
    [InlineData(AttachCause.First, 1u)]
    [InlineData(AttachCause.First, 2u)]
    [InlineData(AttachCause.Wake, 2u)]
    [InlineData(AttachCause.Move, 7u)]
    [InlineData(AttachCause.Takeover, 1u)]
    public async Task A_session_that_is_served_is_not_served_by_another_silo(AttachCause cause, uint generation)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var requests = CountRequests(silo);
        var attach = DirectSession.NewAttach(silo, _id);
        var records = NewPost();
        var served = silo.Gateway.Attach(attach);
        await served.SendAsync(records);
        Assert.NotNull(await served.NextAsync());

        var other = peer.Gateway.Attach(attach with { Cause = cause, Generation = generation });
        await other.SendAsync(records);

        Assert.Null(await other.NextAsync());
        Assert.Equal(CloseReason.Superseded, await other.Closed);
        Assert.Equal(1, requests.Count);
        await served.SendAsync(NewPost(2)[1]);
        Assert.NotNull(await served.NextAsync());
    }

    /// <summary>An honest gateway does so when it takes a silo for lost that lives; but it says which records that silo has had.</summary>
    [Fact]
    public async Task A_takeover_stops_the_silo_that_serves_and_a_request_that_it_had_is_not_done_twice()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var requests = CountRequests(silo);
        var attach = DirectSession.NewAttach(silo, _id);
        var records = NewPost();
        var served = silo.Gateway.Attach(attach);
        await served.SendAsync(records);
        var answer = await served.NextAsync();

        var other = peer.Gateway.Attach(attach with { Cause = AttachCause.Takeover, Generation = 2, Takeovers = 1 });
        await other.SendAsync(records);

        using var client = new TestClient(DirectSession.NewSession(CipherSuite.Aes128GcmSha256));
        var sealedThere = await other.NextRecordsAsync(2);
        Assert.Equal(ContentType.Handshake, client.Open(sealedThere[0]).Type);
        client.Reader.UpdateKey();
        Assert.StartsWith("HTTP/1.1 502", Encoding.ASCII.GetString(client.Open(sealedThere[1]).Content), StringComparison.Ordinal);
        Assert.NotNull(answer);
        Assert.Equal(CloseReason.Superseded, await served.Closed);
        Assert.Equal(1, requests.Count);
    }

    [Fact]
    public async Task A_fresh_session_is_served_at_once_by_the_silo_that_it_is_sealed_for_and_once()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var requests = CountRequests(silo);

        // As far ahead as a clock may be: the silo has not been there for that long.
        var attach = NewFreshAttach(silo, "s1", DateTimeOffset.UtcNow + TlsConnectionHost.FreshTolerance);
        var records = NewPost();
        var served = silo.Gateway.Attach(attach);
        await served.SendAsync(records);
        Assert.NotNull(await served.NextAsync());
        Assert.True(silo.Sessions.TryGet(_id, out var session));
        Assert.False(session.IsRegistered);

        // The other asks it, though there is no grain.
        Assert.Equal(CloseReason.Superseded, await (peer.Gateway.Attach(attach)).Closed);
        Assert.Equal(CloseReason.Superseded, await (silo.Gateway.Attach(attach)).Closed);

        // Also when it is over.
        served.SendClose(CloseReason.ClientGone);
        await Eventually.TrueAsync(() => silo.Sessions.Count == 0, "the session is gone");
        foreach (var at in new[] { peer, silo })
        {
            var again = at.Gateway.Attach(attach);
            await again.SendAsync(records);
            Assert.Equal(CloseReason.Superseded, await again.Closed);
        }

        Assert.Equal(1, requests.Count);
    }

    [Theory]
    [InlineData("s2", 0)]
    [InlineData(null, 0)]
    [InlineData("s1", -11)]
    [InlineData("s1", -4)]
    public async Task Another_session_waits_for_its_grain(string? sealedFor, int seconds)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var attach = NewFreshAttach(silo, sealedFor, DateTimeOffset.UtcNow + (seconds == 0 ? TlsConnectionHost.FreshTolerance : TimeSpan.FromSeconds(seconds)));

        var channel = silo.Gateway.Attach(attach);
        await channel.Attached;

        Assert.True(silo.Sessions.TryGet(_id, out var session));
        await Eventually.TrueAsync(() => session.IsRegistered, "the session has its grain");
    }

    /// <summary>A silo that was lost, and one that took over and was lost too, may each have sealed records that the client never got.</summary>
    [Fact]
    public async Task Takeovers_without_progress_share_no_sequence_number_but_that_of_a_KeyUpdate()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.Origin.Handler = static context => context.Response.WriteAsync(new string('x', 100));
        await using var session = DirectSession.Attach(silo);
        var sealedBy = new List<List<byte[]>>();
        for (var loss = 0; loss < 4; loss++)
        {
            var seen = new List<byte[]>();
            var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            sealedBy.Add(seen);
            session.Books.FramesUntilLoss = 0;
            var updates = loss;
            session.Channel.Seen = record =>
            {
                seen.Add(record);
                if (seen.Count > updates)
                    answered.TrySetResult();
            };
            if (loss == 0)
                await session.SendRequestAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            await answered.Task.WaitAsync(TestSilo.Patience);
            await session.GoOnAtAsync(loss % 2 == 0 ? peer : silo, AttachCause.Takeover);
        }

        // By key and number: what was sealed there, and by how many different silos with something else than a KeyUpdate.
        var used = new Dictionary<(int Key, int Number), List<(ContentType Type, string Content)>>();
        foreach (var seen in sealedBy)
        {
            using var client = new TestClient(DirectSession.NewSession(CipherSuite.Aes128GcmSha256));
            var (key, number) = (0, 0);
            foreach (var record in seen)
            {
                var (type, content) = client.Open(record);
                if (!used.TryGetValue((key, number), out var there))
                    used.Add((key, number), there = []);
                there.Add((type, Convert.ToHexString(content)));
                number++;
                if (type != ContentType.Handshake)
                    continue;
                client.Reader.UpdateKey();
                (key, number) = (key + 1, 0);
            }
        }

        Assert.All(used.Values, static there => Assert.True(there.Where(static one => one.Type != ContentType.Handshake).Distinct().Count() <= 1, "two silos have sealed two texts with one key and number"));
        Assert.Equal([0, 1, 2, 3], used.Where(static entry => entry.Value.Exists(static one => one.Type == ContentType.ApplicationData)).Select(static entry => entry.Key.Key).Distinct().Order());
    }

    private static byte[] NewPost() => NewPost(1)[0];

    private static byte[][] NewPost(int count)
    {
        using var client = new TestClient(DirectSession.NewSession(CipherSuite.Aes128GcmSha256));
        return [.. Enumerable.Range(0, count).Select(_ => client.Seal(ContentType.ApplicationData, Encoding.ASCII.GetBytes(Post)))];
    }

    private Attach NewFreshAttach(TestSilo silo, string? dataSilo, DateTimeOffset createdAt)
    {
        using var sealer = silo.NewSealer();
        var session = DirectSession.NewSession(CipherSuite.Aes128GcmSha256, createdAt: createdAt);
        session.DataSilo = dataSilo;
        return DirectSession.NewAttach(sealer, _id, session);
    }

    private static RequestCount CountRequests(TestSilo silo)
    {
        var requests = new RequestCount();
        silo.Origin.Handler = async context =>
        {
            requests.Add();
            await context.Response.WriteAsync("done");
        };
        return requests;
    }

    private sealed class RequestCount
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public void Add() => Interlocked.Increment(ref _count);
    }
}
