using System.Net;
using System.Net.Http.Headers;
using CSsl.Cli.Origin;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli.Origin;

public sealed class BytesEndpointTests(OriginFixture origin) : IClassFixture<OriginFixture>
{
    [Fact]
    public async Task Bytes_are_the_whole_sequence_without_a_range()
    {
        using var response = await GetAsync("/bytes/100000");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("\"bytes-100000\"", response.Headers.ETag!.ToString());
        Assert.Equal(["bytes"], response.Headers.AcceptRanges);
        Assert.Equal(OriginContent.Sha256(100000), OriginContent.Sha256(await response.Content.ReadAsByteArrayAsync()));
    }

    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=2-4", 2, 3)]
    [InlineData("bytes=990-", 990, 10)]
    [InlineData("bytes=-10", 990, 10)]
    [InlineData("bytes=-5000", 0, 1000)]
    [InlineData("bytes=999-999", 999, 1)]
    [InlineData("bytes=500-5000", 500, 500)]
    public async Task Range_gives_that_part(string range, int from, int length)
    {
        using var response = await GetAsync("/bytes/1000", range);
        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal($"bytes {from}-{from + length - 1}/1000", response.Content.Headers.ContentRange!.ToString());
        var expected = new byte[length];
        SampleBytes.Fill(from, expected);
        Assert.Equal(expected, await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData(1000, "bytes=1000-")]
    [InlineData(1000, "bytes=5000-6000")]
    [InlineData(1000, "bytes=-0")]
    [InlineData(0, "bytes=0-")]
    [InlineData(0, "bytes=-1")]
    public async Task Range_that_is_not_there_is_416(int length, string range)
    {
        using var response = await GetAsync($"/bytes/{length}", range);
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, response.StatusCode);
        Assert.Equal($"bytes */{length}", response.Content.Headers.ContentRange!.ToString());
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("bytes=0-1,4-5")]
    [InlineData("lines=0-1")]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=x")]
    public async Task Range_that_means_nothing_here_is_ignored(string range)
    {
        using var response = await GetAsync("/bytes/1000", range);
        Assert.Equal((HttpStatusCode.OK, 1000), (response.StatusCode, response.Content.Headers.ContentLength));
    }

    [Theory]
    [InlineData("\"bytes-1000\"", HttpStatusCode.PartialContent)]
    [InlineData("\"bytes-999\"", HttpStatusCode.OK)]
    [InlineData("W/\"bytes-1000\"", HttpStatusCode.OK)]
    [InlineData("Wed, 21 Oct 2015 07:28:00 GMT", HttpStatusCode.OK)]
    [InlineData("nonsense", HttpStatusCode.OK)]
    public async Task If_range_must_be_the_same_strong_tag(string ifRange, HttpStatusCode expected)
    {
        using var response = await GetAsync("/bytes/1000", "bytes=10-", ("If-Range", ifRange));
        Assert.Equal(expected, response.StatusCode);
    }

    [Theory]
    [InlineData("\"bytes-1000\"", HttpStatusCode.NotModified)]
    [InlineData("\"x\", W/\"bytes-1000\"", HttpStatusCode.NotModified)]
    [InlineData("*", HttpStatusCode.NotModified)]
    [InlineData("\"x\"", HttpStatusCode.OK)]
    public async Task If_none_match_spares_the_body(string tags, HttpStatusCode expected)
    {
        using var response = await GetAsync("/bytes/1000", null, ("If-None-Match", tags));
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Head_tells_the_length_and_ignores_ranges()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/bytes/1000") { Headers = { Range = new RangeHeaderValue(0, 9) } };
        using var response = await origin.Http.SendAsync(request);
        Assert.Equal((HttpStatusCode.OK, 1000), (response.StatusCode, response.Content.Headers.ContentLength));
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("/bytes/-1")]
    [InlineData("/bytes/x")]
    [InlineData("/bytes/99999999999999999999")]
    public async Task What_is_not_a_length_is_not_found(string path)
    {
        using var response = await GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Half_of_a_huge_file_is_had_without_the_other()
    {
        using var response = await GetAsync("/bytes/1099511627776", "bytes=-3");
        Assert.Equal(3, response.Content.Headers.ContentLength);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string? range = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (range is not null)
            Assert.True(request.Headers.TryAddWithoutValidation("Range", range));
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await origin.Http.SendAsync(request);
    }
}
