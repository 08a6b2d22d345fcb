using System.Net;
using System.Net.Http.Headers;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>What gRPC needs of a proxy, without its packages: HTTP/2 on both sides, bodies both ways at once, trailers.</summary>
public sealed class GrpcTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Fact]
    public async Task Messages_go_both_ways_at_once_and_the_status_comes_in_trailers()
    {
        await using var origin = await StartOriginAsync();
        await using var silo = await TestSilo.StartAsync(certificates,
            $"--ReverseProxy:Clusters:origin:Destinations:one:Address={origin.Urls.Single()}",
            "--ReverseProxy:Clusters:origin:HttpRequest:Version=2", "--ReverseProxy:Clusters:origin:HttpRequest:VersionPolicy=RequestVersionExact");
        using var client = silo.NewHttpClient(HttpVersion.Version20);
        var up = new DuplexContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/service/Method")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = up,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));

        var sending = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var stream = await up.Stream.WaitAsync(TestSilo.Patience);
        await SendAsync(stream, 0);
        using var response = await sending;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await using var down = await response.Content.ReadAsStreamAsync();
        var echo = new byte[5];
        for (byte i = 0; i < 10; i++)
        {
            // The answer to one message before the next one is sent.
            await down.ReadExactlyAsync(echo).AsTask().WaitAsync(TestSilo.Patience);
            Assert.Equal([0, 0, 0, 0, i], echo);
            if (i < 9)
                await SendAsync(stream, (byte)(i + 1));
        }

        up.Complete();
        Assert.Equal(0, await down.ReadAsync(echo));
        Assert.Equal("application/grpc", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("0", Assert.Single(response.TrailingHeaders.GetValues("grpc-status")));
    }

    private static async Task SendAsync(Stream stream, byte message)
    {
        await stream.WriteAsync(new byte[] { 0, 0, 0, 0, message });
        await stream.FlushAsync();
    }

    private static async Task<WebApplication> StartOriginAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2));
        var origin = builder.Build();
        origin.Run(static async context =>
        {
            Assert.Equal("trailers", context.Request.Headers.TE);
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.FlushAsync();
            var buffer = new byte[5];
            while (await context.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false) == buffer.Length)
            {
                await context.Response.Body.WriteAsync(buffer);
                await context.Response.Body.FlushAsync();
            }

            context.Response.AppendTrailer("grpc-status", "0");
        });
        await origin.StartAsync();
        return origin;
    }

    private sealed class DuplexContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public DuplexContent() => Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        public Task<Stream> Stream => _stream.Task;

        public void Complete() => _complete.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            _stream.SetResult(stream);
            await _complete.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
