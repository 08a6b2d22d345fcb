using System.Net;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>What clients see when a part of the cluster goes that they can do without, or one that waits until they are done: what is under way ends as if nothing were.</summary>
public abstract class UndisturbedTests
{
    private readonly FaultRun _run;

    protected UndisturbedTests(FaultRun run, ITestOutputHelper output)
    {
        _run = run;
        output.WriteLine(run.Log);
    }

    [Fact]
    public Task Request_is_answered() => AnsweredAsync(_run.Sent);

    [Fact]
    public Task Long_put_is_answered() => AnsweredAsync(_run.LongPut);

    [Fact]
    public Task Download_with_a_validator_is_whole() => WholeAsync(_run.Download, FaultRun.FlowingLength);

    [Fact]
    public Task Download_in_TLS_1_2_is_whole() => WholeAsync(_run.Tls12Download, FaultRun.Length);

    [Fact]
    public Task Download_without_a_validator_is_whole() => WholeAsync(_run.UntaggedDownload, FaultRun.Length);

    [Fact]
    public Task Download_without_a_length_is_whole() => WholeAsync(_run.ChunkedDownload, FaultRun.Length);

    [Fact]
    public Task Post_is_answered() => AnsweredAsync(_run.Post);

    [Fact]
    public Task Answer_to_a_post_is_whole() => WholeAsync(_run.PostUnderWay, FaultRun.Length);

    [Fact]
    public Task Http2_download_is_whole() => WholeAsync(_run.Http2Download, FaultRun.Length);

    private static async Task AnsweredAsync(KeepAliveExchange exchange)
    {
        KeepAliveEnding client = await exchange.Ending;
        Assert.Equal((HttpStatusCode.OK, "done\n"), (client.Status, client.Text));
        Assert.Equal(1, client.Connections);
        exchange.AssertAskedOnce();
    }

    private static async Task WholeAsync(CurlExchange exchange, long length)
    {
        (await exchange.Ending).AssertIsWhole(length);
        exchange.AssertAskedOnce();
    }
}
