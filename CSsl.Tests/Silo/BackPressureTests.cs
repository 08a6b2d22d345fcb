using System.Net;
using System.Security.Cryptography;
using CSsl.Link;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class BackPressureTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const int BodyLength = 24 << 20;

    // The peer may exceed its credit by less than one record.
    private static readonly int MostOnTheWay = new LinkOptions().ChannelCredit + LinkChannel.MinimumRoom;

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_download_waits_for_a_client_that_does_not_read_and_then_arrives_whole(string version)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = async context =>
        {
            context.Response.ContentLength = BodyLength;
            for (var at = 0; at < BodyLength; at += 64 * 1024)
                await context.Response.Body.WriteAsync(Body.AsMemory(at, 64 * 1024), context.RequestAborted);
        };
        GatewayChannel? channel = null;
        using var client = silo.NewHttpClient(Version.Parse(version), attached: opened => channel = opened);

        using var response = await client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();

        // Nobody reads: the silo sends until its credit is used up, or (HTTP/2) until the client's window is full. Then one byte at a time must get through too.
        var first = new byte[1];
        await body.ReadExactlyAsync(first);
        Assert.Equal(Body[0], first[0]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(first);
        var rest = new byte[100_000];
        for (int read; (read = await body.ReadAsync(rest)) > 0;)
            hash.AppendData(rest, 0, read);

        Assert.Equal(SHA256.HashData(Body), hash.GetHashAndReset());
        Assert.InRange(channel!.MostUnreturned, 1, MostOnTheWay);
    }

    [Fact]
    public async Task A_download_stops_at_the_credit_while_none_is_returned()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = static async context =>
        {
            context.Response.ContentLength = BodyLength;
            await context.Response.Body.WriteAsync(Body, context.RequestAborted);
        };
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

        var held = new List<byte[]>();
        while (session.Channel.Unreturned < new LinkOptions().ChannelCredit)
            held.Add((await session.Channel.NextAsync())!);
        Assert.InRange(session.Channel.Unreturned, 1, MostOnTheWay);

        // The proof that it stopped there: what comes next comes because of what is returned.
        long plaintext = 0;
        foreach (var records in held)
        {
            session.Channel.Return(records.Length);
            plaintext += session.Open(records);
        }

        while (plaintext < BodyLength)
        {
            var records = (await session.Channel.NextAsync())!;
            session.Channel.Return(records.Length);
            plaintext += session.Open(records);
        }

        Assert.InRange(session.Channel.MostUnreturned, 1, MostOnTheWay);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task An_upload_waits_for_an_origin_that_does_not_read_and_then_arrives_whole(string version)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.Origin.Handler = async context =>
        {
            reached.SetResult();
            await go.Task;
            await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body)));
        };
        using var client = silo.NewHttpClient(Version.Parse(version));
        var sent = 0L;

        using var content = new CountedContent(Body, count => Volatile.Write(ref sent, count));
        var answer = client.PostAsync("/", content);
        await reached.Task.WaitAsync(TestSilo.Patience);
        Assert.True(Volatile.Read(ref sent) < BodyLength, "the whole body left the client though nobody read it");
        go.SetResult();
        using var response = await answer;

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(Body)), await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_client_that_does_not_read_slows_nobody_else()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = static context => context.Response.Body.WriteAsync(Body, context.RequestAborted).AsTask();
        await using var stalled = DirectSession.Attach(silo);
        await stalled.SendRequestAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        while (stalled.Channel.Unreturned < new LinkOptions().ChannelCredit)
            await stalled.Channel.NextAsync();

        using var client = silo.NewHttpClient();
        var body = await client.GetByteArrayAsync("/");

        Assert.Equal(Body, body);
    }

    private static byte[] Body { get; } = TestBody();

    private static byte[] TestBody()
    {
        var body = new byte[BodyLength];
        new Random(7).NextBytes(body);
        return body;
    }

    private sealed class CountedContent(byte[] body, Action<long> sent) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var at = 0; at < body.Length; at += 64 * 1024)
            {
                await stream.WriteAsync(body.AsMemory(at, 64 * 1024));
                sent(at + (64 * 1024));
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }
}
