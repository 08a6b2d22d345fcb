using System.Net;
using System.Security.Authentication;
using System.Text.Json;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class ProxyTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    public static TheoryData<string, SslProtocols> Protocols => new()
    {
        { "1.1", SslProtocols.Tls12 },
        { "1.1", SslProtocols.Tls13 },
        { "2.0", SslProtocols.Tls12 },
        { "2.0", SslProtocols.Tls13 },
    };

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_request_reaches_the_origin_with_who_and_how(string version, SslProtocols protocols)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = EchoHeadersAsync;
        using var client = silo.NewHttpClient(Version.Parse(version), protocols);

        using var response = await client.GetAsync("/some/path?x=1");
        var seen = await SeenAsync(response);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Version.Parse(version), response.Version);
        Assert.Equal("/some/path?x=1", seen["target"]);
        Assert.Equal("203.0.113.7", seen["X-Forwarded-For"]);
        Assert.Equal("https", seen["X-Forwarded-Proto"]);
        Assert.Equal("localhost", seen["X-Forwarded-Host"]);
        Assert.Equal("s1", seen["X-CSsl-Silo"]);
        Assert.Equal(protocols == SslProtocols.Tls13 ? "TLSv1.3 TLS_AES_128_GCM_SHA256" : "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", seen["X-CSsl-Tls"]);
    }

    [Fact]
    public async Task What_a_client_says_about_itself_is_replaced()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = EchoHeadersAsync;
        using var client = silo.NewHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Forwarded-For", "10.0.0.1");
        request.Headers.Add("X-Forwarded-Proto", "http");
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        request.Headers.Add("X-Forwarded-Prefix", "/evil");
        request.Headers.Add("Forwarded", "for=10.0.0.1");
        request.Headers.Add("X-CSsl-Silo", "evil");
        request.Headers.Add("X-CSsl-Tls", "none");

        using var response = await client.SendAsync(request);
        var seen = await SeenAsync(response);

        Assert.Equal("203.0.113.7", seen["X-Forwarded-For"]);
        Assert.Equal("https", seen["X-Forwarded-Proto"]);
        Assert.Equal("localhost", seen["X-Forwarded-Host"]);
        Assert.False(seen.ContainsKey("X-Forwarded-Prefix"));
        Assert.False(seen.ContainsKey("Forwarded"));
        Assert.Equal("s1", seen["X-CSsl-Silo"]);
        Assert.StartsWith("TLSv1.", seen["X-CSsl-Tls"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("::ffff:203.0.113.9", "203.0.113.9")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    public async Task The_origin_is_told_a_clients_address_in_its_own_family(string address, string told)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = static context => context.Response.WriteAsync("for=" + context.Request.Headers["X-Forwarded-For"]);
        await using var session = DirectSession.Attach(silo, from: new IPEndPoint(IPAddress.Parse(address), 50123));

        await session.SendRequestAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

        var answer = (await session.ReadTextUntilAsync("0\r\n\r\n")).Replace("\"", "", StringComparison.Ordinal);
        Assert.Contains($"for={told}", answer.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task An_origin_that_is_not_there_is_a_502_with_a_line_of_text(string version)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await silo.Origin.DisposeAsync();
        using var client = silo.NewHttpClient(Version.Parse(version));

        using var response = await client.GetAsync("/");

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.False(response.Headers.Contains("Server"));
        Assert.Equal("502 Bad Gateway\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_origins_own_error_stays_as_it_is()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = static context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        };
        using var client = silo.NewHttpClient();

        using var response = await client.GetAsync("/");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Many_clients_are_served_at_once_over_one_link()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = static context => context.Response.WriteAsync(new string('x', 100_000) + context.Request.Path);

        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (i, ct) =>
        {
            using var client = silo.NewHttpClient(i % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20);
            var body = await client.GetStringAsync($"/{i}", ct);
            Assert.Equal(100_000 + $"/{i}".Length, body.Length);
            Assert.EndsWith($"/{i}", body, StringComparison.Ordinal);
        });
    }

    private static Task EchoHeadersAsync(HttpContext context)
    {
        var seen = context.Request.Headers.ToDictionary(static header => header.Key, static header => header.Value.ToString());
        seen["target"] = context.Request.Path + context.Request.QueryString;
        return context.Response.WriteAsync(JsonSerializer.Serialize(seen));
    }

    private static async Task<Dictionary<string, string>> SeenAsync(HttpResponseMessage response)
        => new(JsonSerializer.Deserialize<Dictionary<string, string>>(await response.Content.ReadAsStringAsync())!, StringComparer.OrdinalIgnoreCase);
}
