using System.Text.Json;
using CSsl.Grains.Aggregation;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Cli;

[Collection(WaitingForUp.Name)]
public sealed class EngineCommandTests
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    [Fact]
    public async Task Engine_shows_what_the_silos_do_and_changes_it_while_they_serve()
    {
        await using Cluster site = await Cluster.StartAsync(new ClusterSettings());
        await DownloadAsync();
        Assert.All(await EnginesAsync(), static engine => Assert.Equal((1024, TimeSpan.Zero), (engine.Status!.RecordsPerCall, engine.Status.MaxDelay)));

        SiloEngine changed = Assert.Single(await EnginesAsync("--silo", "data-1", "--records-per-call", "1", "--max-delay", "0.1ms"));
        Assert.Equal(("data-1", 1, TimeSpan.FromMilliseconds(0.1)), (changed.Silo, changed.Status!.RecordsPerCall, changed.Status.MaxDelay));
        Assert.Equal(1024, (await EnginesAsync()).Single(static engine => engine.Silo == "data-2").Status!.RecordsPerCall);

        // Until then calls had many records; from then on one.
        SiloEngine[] before = await EnginesAsync("--records-per-call", "1");
        await DownloadAsync();
        SiloEngine[] after = await EnginesAsync();
        Assert.All(before.Zip(after), static pair => Assert.Equal(pair.First.Status!.Batches.Skip(1), pair.Second.Status!.Batches.Skip(1)));
        Assert.InRange(after.Sum(static engine => engine.Status!.Calls) - before.Sum(static engine => engine.Status!.Calls), 1_000_000 >> 14, 10_000);

        ToolResult table = (await Cssl.RunAsync(["engine", "--admin", $"{site.AdminPort}", "--silo", "data-1"])).Succeeded();
        Assert.Contains("data-1", table.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("data-2", table.Output, StringComparison.Ordinal);
        ToolResult unknown = await Cssl.RunAsync(["engine", "--admin", $"{site.AdminPort}", "--silo", "nobody"]);
        Assert.Equal((2, "cssl: there is no data silo nobody\n"), (unknown.ExitCode, unknown.Error));

        async Task DownloadAsync() => (await site.CurlAsync("/bytes/1000000", "-o", "/dev/null")).Succeeded();

        async Task<SiloEngine[]> EnginesAsync(params string[] arguments)
            => JsonSerializer.Deserialize<SiloEngine[]>((await Cssl.RunAsync(["engine", "--json", "--admin", $"{site.AdminPort}", .. arguments])).Succeeded().Output, Json)!;
    }
}
