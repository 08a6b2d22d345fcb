using System.Net;
using System.Text;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.EndToEnd.Tests.Forwarding;

/// <summary>RFC 9110 section 5.5: octets above 0x7F in a field's value are opaque, and are passed on as they are.</summary>
[Collection(ByBytes.Name)]
public sealed class HeaderOctetTests(RawOriginSite site, ITestOutputHelper output) : ClusterTest(site.Cluster, output)
{
    // All of them; at the ends those that .NET takes for white space.
    private static readonly string All = "\u0085" + string.Concat(Enumerable.Range(0x80, 0x80).Select(static octet => (char)octet)) + "\u00A0";

    // Of one kind are headers that Kestrel knows, and of another those that it does not.
    private static readonly string[] RequestNames = ["X-Any", "Cookie", "Referer", "User-Agent"];
    private static readonly string[] ResponseNames = ["X-Any", "Content-Disposition", "Location", "Set-Cookie", "ETag", "Server"];

    [Fact]
    public async Task All_pass_in_HTTP1_in_both_directions()
    {
        using RawPeer client = await site.ConnectAsync();
        await client.SendAsync($"GET /octets HTTP/1.1\r\nHost: localhost\r\n{Fields(RequestNames)}\r\n");
        using RawPeer origin = await site.Origin.RequestAsync("/octets");
        AssertHas(RequestNames, origin.Head);

        await origin.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{Fields(ResponseNames)}\r\n");
        AssertHas(ResponseNames, await client.ReadHeadAsync());
    }

    [Fact]
    public async Task All_pass_in_HTTP2_in_both_directions()
    {
        using HttpClient client = NewHttp2Client();
        using HttpRequestMessage request = NewRequest("/octets-h2");
        Task<HttpResponseMessage> asking = client.SendAsync(request);
        using RawPeer origin = await site.Origin.RequestAsync("/octets-h2");
        AssertHas(RequestNames, origin.Head);

        await origin.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{Fields(ResponseNames)}\r\n");
        using HttpResponseMessage response = await asking.WaitAsync(Tool.DefaultDeadline);
        AssertHas(response);
    }

    [Fact]
    public async Task All_pass_to_and_from_an_origin_of_HTTP2_also_in_trailers()
    {
        string[] seen = [];
        site.Http2Origin.Handler = context =>
        {
            seen = [.. RequestNames.Select(name => context.Request.Headers[name].ToString())];
            foreach (string name in ResponseNames)
                context.Response.Headers[name] = All;
            context.Response.AppendTrailer("X-Trailer", All);
            return context.Response.WriteAsync("body");
        };
        using HttpClient client = NewHttp2Client();
        using HttpRequestMessage request = NewRequest("/h2/octets");

        using HttpResponseMessage response = await client.SendAsync(request);

        Assert.Equal(RequestNames.Select(static _ => All), seen);
        AssertHas(response);
        Assert.Equal(All, response.TrailingHeaders.NonValidated["X-Trailer"].ToString());
    }

    [Fact]
    public async Task All_pass_in_the_trailers_of_a_chunked_response()
    {
        using HttpClient client = NewHttp2Client();
        using HttpRequestMessage request = NewRequest("/octets-trailer");
        Task<HttpResponseMessage> asking = client.SendAsync(request);
        using RawPeer origin = await site.Origin.RequestAsync("/octets-trailer");

        await origin.SendAsync($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n\r\n1\r\nx\r\n0\r\nX-Trailer: {All}\r\n\r\n");

        using HttpResponseMessage response = await asking.WaitAsync(Tool.DefaultDeadline);
        Assert.Equal(All, response.TrailingHeaders.NonValidated["X-Trailer"].ToString());
    }

    private static string Fields(string[] names) => string.Concat(names.Select(static name => $"{name}: {All}\r\n"));

    private static void AssertHas(string[] names, string head)
        => Assert.All(names, name => Assert.Contains($"\r\n{name}: {All}\r\n", head, StringComparison.OrdinalIgnoreCase));

    private static void AssertHas(HttpResponseMessage response)
        => Assert.All(ResponseNames, name => Assert.Equal(All, (name == "Content-Disposition" ? response.Content.Headers.NonValidated[name] : response.Headers.NonValidated[name]).ToString()));

    private static HttpRequestMessage NewRequest(string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        foreach (string name in RequestNames)
            Assert.True(request.Headers.TryAddWithoutValidation(name, All));
        return request;
    }

    private HttpClient NewHttp2Client()
    {
        SocketsHttpHandler handler = Web.Handler(Cluster);
        handler.UseCookies = false;
        handler.AllowAutoRedirect = false;
        handler.RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
        handler.ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
        return new HttpClient(handler) { BaseAddress = Cluster.Address, Timeout = Tool.DefaultDeadline };
    }
}
