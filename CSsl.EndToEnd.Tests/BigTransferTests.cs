using System.Security.Cryptography;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Much data: it arrives whole, and no process keeps it.</summary>
[Collection(SharedCluster.Name)]
public sealed class BigTransferTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    /// <summary>Twice what a process may grow by, and more.</summary>
    private const int Large = 1 << 28;

    private const int Gibibyte = 1 << 30;

    /// <summary>What a process may grow by meanwhile is its garbage collector's working room, not a part of the file.</summary>
    private const long MaxGrowth = 128 << 20;

    private readonly ITestOutputHelper _output = output;

    [Theory]
    [InlineData("--http1.1", "--tlsv1.3", Gibibyte)]
    [InlineData("--http2", "--tlsv1.3", Large)]
    [InlineData("--http1.1", "--tls-max 1.2", Large)]
    public async Task Download_is_right_and_memory_stays_flat(string http, string tls, int size)
    {
        await WarmUpAsync();
        await using MemoryWatch memory = await WatchAsync();
        string hash = "";

        ToolResult result = await Tool.RunAsync(
            "curl",
            ["-sS", http, .. tls.Split(' '), "--cacert", Cluster.CertificateAuthority, Url($"/bytes/{size}")],
            sink: async (body, cancellation) => hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(body, cancellation)));

        result.Succeeded();
        Assert.Equal(size == Gibibyte ? OriginContent.Gibibyte : OriginContent.Sha256(size), hash);
        await AssertFlatAsync(memory);
    }

    [Theory]
    [InlineData("--http1.1", Large)]
    [InlineData("--http2", Gibibyte)]
    public async Task Upload_is_right_and_memory_stays_flat(string http, int size)
    {
        await WarmUpAsync();
        await using MemoryWatch memory = await WatchAsync();
        await using Tool curl = Tool.Start("curl", ["-sS", http, "--cacert", Cluster.CertificateAuthority, "-X", "POST", "-T", "-", Url("/sink")]);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = RandomNumberGenerator.GetBytes(1 << 20);
        for (int i = 0; i < size / block.Length; i++)
        {
            block[i % block.Length]++;
            sent.AppendData(block);
            await curl.Input.WriteAsync(block);
        }

        curl.CloseInput();
        ToolResult result = (await curl.ExitAsync()).Succeeded();

        Assert.Equal($"{size} {Convert.ToHexStringLower(sent.GetHashAndReset())}\n", result.Output);
        await AssertFlatAsync(memory);
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task Two_hundred_downloads_of_a_mebibyte_at_once_are_all_right(string http)
    {
        using var folder = new TempDirectory();
        string expected = OriginContent.Sha256(1 << 20);

        (await Tool.RunAsync("curl",
            ["-sS", http, "-Z", "--parallel-immediate", "--parallel-max", "200", "--cacert", Cluster.CertificateAuthority, Url("/bytes/1048576?[1-200]"), "-o", folder.File("#1")]))
            .Succeeded();

        string[] files = Directory.GetFiles(folder.Path);
        Assert.Equal(200, files.Length);
        Assert.All(files, file => Assert.Equal(expected, OriginContent.Sha256(File.ReadAllBytes(file))));
    }

    private async Task WarmUpAsync() =>
        (await Tool.RunAsync("curl", ["-sS", "--cacert", Cluster.CertificateAuthority, "-o", "/dev/null", Url($"/bytes/{50_000_000}?[1-4]")])).Succeeded();

    private async Task<MemoryWatch> WatchAsync() => new((await Cluster.StatusAsync()).Select(process => process.ProcessId));

    private async Task AssertFlatAsync(MemoryWatch memory)
    {
        IReadOnlyDictionary<int, long> growth = await memory.PeakGrowthAsync();
        foreach ((int id, long bytes) in growth)
            _output.WriteLine($"process {id} grew by {bytes >> 20} MiB");
        Assert.All(growth.Values, bytes => Assert.InRange(bytes, long.MinValue, MaxGrowth));
    }
}
