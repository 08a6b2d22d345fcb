using System.Net;
using CSsl.Grains.Cluster;
using CSsl.Silo;
using CSsl.Silo.Lifecycle;
using CSsl.Tests.Support;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>Two silos of one cluster, whose rings are not always the same.</summary>
public sealed class SealingKeyFollowerTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private readonly string _other = ClusterKeyRing.Generate("k2");

    [Fact]
    public async Task Silo_that_lacks_the_key_in_use_is_not_ready_until_it_has_it()
    {
        using var folder = new TempDirectory();
        await File.WriteAllTextAsync(folder.File("other.keys"), _other);
        await using var first = await TestSilo.StartAsync(certificates);
        await Eventually.TrueAsync(() => IsActive(first), "the first silo is active");

        await using var second = await first.StartPeerAsync(certificates, $"--Cluster:SealingKeyFile={folder.File("other.keys")}");
        await Eventually.TrueAsync(() => Status(second).Trouble is not null, "the second silo is in trouble");
        Assert.StartsWith("the key ring lacks k1#", Status(second).Trouble, StringComparison.Ordinal);
        Assert.Equal((SiloState.Joining, SiloState.Active), (Status(second).State, Status(first).State));
        using var admin = new HttpClient { BaseAddress = new Uri($"http://{second.Application.Services.GetRequiredService<SiloAdminAddress>()}/") };
        using (var ready = await admin.GetAsync("/readyz"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            Assert.StartsWith("Joining: the key ring lacks k1#", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Keys(second).Replace(ClusterKeyRing.Parse(_other + first.SealingKeys));
        await Eventually.TrueAsync(async () => (await admin.GetAsync("/readyz")).IsSuccessStatusCode, "the second silo is ready");
        Assert.Null(Status(second).Trouble);
        Assert.Equal("k1", Keys(second).ClusterKeyName!.Split('#')[0]);
    }

    [Fact]
    public async Task Nobody_seals_under_a_key_before_all_have_it_whatever_the_order_of_the_silos()
    {
        await using var first = await TestSilo.StartAsync(certificates);
        await using var second = await first.StartPeerAsync(certificates);
        await Eventually.TrueAsync(() => IsActive(first) && IsActive(second), "both silos are active");
        var reported = Reported(first);

        // The old key is out of the first silo's file before the second has the new one.
        Keys(first).Replace(ClusterKeyRing.Parse(_other));
        await Eventually.TrueAsync(() => Reported(first) != reported, "the cluster knows");
        Assert.Equal(("k1", "k1"), (Keys(first).KeptKeyId, Keys(first).ClusterKeyName!.Split('#')[0]));
        Assert.True(IsActive(first) && IsActive(second));
        var id = Guid.NewGuid();
        Sealer(second).Open(Sealer(first).Seal(Tls.Sessions.ExportedSessions.Sample(), id), id).Dispose();

        Keys(second).Replace(ClusterKeyRing.Parse(_other));
        await Eventually.TrueAsync(() => Keys(first).ClusterKeyName!.StartsWith("k2#", StringComparison.Ordinal) && Keys(second).ClusterKeyName == Keys(first).ClusterKeyName, "both seal under the new key");
        Assert.True(IsActive(first) && IsActive(second));
        Assert.Equal((null, null), (Keys(first).KeptKeyId, Keys(second).KeptKeyId));
        Sealer(second).Open(Sealer(first).Seal(Tls.Sessions.ExportedSessions.Sample(), id), id).Dispose();
    }

    private static SiloStatus Status(TestSilo silo) => silo.Application.Services.GetRequiredService<SiloStatus>();

    private static bool IsActive(TestSilo silo) => Status(silo).State == SiloState.Active;

    private static SharedKeyRing Keys(TestSilo silo) => silo.Application.Services.GetRequiredService<SharedKeyRing>();

    private static Sealer Sealer(TestSilo silo) => silo.Application.Services.GetRequiredService<Sealer>();

    /// <summary>The silo's keys as its part of the view has them.</summary>
    private static string? Reported(TestSilo silo) => silo.Application.Services.GetRequiredService<ClusterViewHolder>().Current.Silos.SingleOrDefault()?.SealingKeys;
}
