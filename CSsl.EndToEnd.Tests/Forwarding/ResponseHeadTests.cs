using System.Net;
using System.Net.Http.Headers;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.EndToEnd.Tests.Forwarding;

/// <summary>A response's head is passed on when it is complete: in each of these the origin sends nothing else until the client has it.</summary>
[Collection(ByBytes.Name)]
public sealed class ResponseHeadTests(RawOriginSite site, ITestOutputHelper output) : ClusterTest(site.Cluster, output)
{
    [Theory]
    [InlineData("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5\r\n", "hello")]
    [InlineData("Connection: close\r\n", "hello")]
    public async Task Head_does_not_wait_for_the_body(string framing, string body)
    {
        using RawPeer client = await site.ConnectAsync();
        await client.SendAsync("GET /head HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        using RawPeer origin = await site.Origin.RequestAsync("/head");
        await origin.SendAsync($"HTTP/1.1 200 OK\r\nX-Mark: here\r\n{framing}\r\n");

        Assert.Contains("\r\nX-Mark: here\r\n", await client.ReadHeadAsync(), StringComparison.OrdinalIgnoreCase);

        await origin.SendAsync(body);
        origin.FinishSending();
        (PeerEnd end, string text) = await client.ReadToEndAsync();
        Assert.Equal(PeerEnd.InOrder, end);
        Assert.Contains("hello", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5\r\n", "hello")]
    public async Task Head_does_not_wait_for_the_body_in_HTTP2(string framing, string body)
    {
        using HttpClient client = Web.Client(Cluster, HttpVersion.Version20);
        Task<HttpResponseMessage> asking = client.GetAsync("/head-h2", HttpCompletionOption.ResponseHeadersRead);
        using RawPeer origin = await site.Origin.RequestAsync("/head-h2");
        await origin.SendAsync($"HTTP/1.1 200 OK\r\n{framing}\r\n");

        using HttpResponseMessage response = await asking.WaitAsync(Tool.DefaultDeadline);

        await origin.SendAsync(body);
        Assert.Equal("hello", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Initial_metadata_of_gRPC_does_not_wait_for_a_message()
    {
        var hasHead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        site.Http2Origin.Handler = async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.FlushAsync();
            await hasHead.Task;
            await context.Response.WriteAsync("hello");
            context.Response.AppendTrailer("grpc-status", "0");
        };
        using HttpClient client = Web.Client(Cluster, HttpVersion.Version20);
        var messages = new PushContent();
        messages.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var call = new HttpRequestMessage(HttpMethod.Post, "/h2/call") { Version = HttpVersion.Version20, Content = messages };

        using HttpResponseMessage response = await client.SendAsync(call, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Tool.DefaultDeadline);
        hasHead.SetResult();
        messages.Complete();

        Assert.Equal("hello", await response.Content.ReadAsStringAsync());
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Theory]
    [InlineData("HEAD", "200 OK", "Content-Length: 5\r\n")]
    [InlineData("HEAD", "200 OK", "Transfer-Encoding: chunked\r\n")]
    [InlineData("GET", "204 No Content", "")]
    [InlineData("GET", "304 Not Modified", "Content-Length: 5\r\n")]
    [InlineData("GET", "200 OK", "Content-Length: 0\r\n")]
    public async Task Response_without_a_body_has_none_and_the_connection_goes_on(string method, string status, string fields)
    {
        using RawPeer client = await site.ConnectAsync();
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync($"{method} /no-body HTTP/1.1\r\nHost: localhost\r\n\r\n");
            using RawPeer origin = await site.Origin.RequestAsync("/no-body");
            await origin.SendAsync($"HTTP/1.1 {status}\r\nConnection: close\r\n{fields}\r\n");

            string head = await client.ReadHeadAsync(); // a body of the first response would be in the second head
            Assert.StartsWith($"HTTP/1.1 {status}\r\n", head, StringComparison.Ordinal);
            Assert.Equal(fields.StartsWith("Content", StringComparison.Ordinal), head.Contains(fields.Length > 0 ? fields : "Content-Length", StringComparison.OrdinalIgnoreCase));
        }
    }
}
