using System.Security.Cryptography;
using CSsl.Gateway;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace CSsl.Tests.Gateway.Lifecycle;

public sealed class ShutdownTimeTests
{
    [Theory]
    [InlineData("1s", 20)]
    [InlineData("2m", 130)]
    public async Task Host_does_not_end_before_the_drain(string drainTime, int seconds)
    {
        using var folder = new TempDirectory();
        await File.WriteAllTextAsync(folder.File("cluster.key"), Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        await using var gateway = CsslConfiguration.CreateBuilder(
        [
            $"--Cluster:KeyFile={folder.File("cluster.key")}", $"--Cluster:Database={folder.File("cluster.db")}", $"--Gateway:DrainTime={drainTime}",
        ]).AddCsslGateway().Build();

        Assert.Equal(TimeSpan.FromSeconds(seconds), gateway.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }
}
