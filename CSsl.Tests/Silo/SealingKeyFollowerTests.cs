using System.Net;
using CSsl.Grains.Cluster;
using CSsl.Link;
using CSsl.Silo;
using CSsl.Silo.Lifecycle;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>Two silos of one cluster, whose rings are not always the same.</summary>
public sealed class SealingKeyFollowerTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const string Request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

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
        var underOld = Sealer(first).Seal(Tls.Sessions.ExportedSessions.Sample(), id);

        Keys(second).Replace(ClusterKeyRing.Parse(_other));
        await Eventually.TrueAsync(() => Keys(first).ClusterKeyName!.StartsWith("k2#", StringComparison.Ordinal) && Keys(second).ClusterKeyName == Keys(first).ClusterKeyName, "both seal under the new key");
        Assert.True(IsActive(first) && IsActive(second));
        Assert.Equal((null, null), (Keys(first).KeptKeyId, Keys(second).KeptKeyId));
        Sealer(second).Open(Sealer(first).Seal(Tls.Sessions.ExportedSessions.Sample(), id), id).Dispose();

        // What was sealed before, and is on its way yet.
        Sealer(first).Open(underOld, id).Dispose();
        Sealer(second).Open(underOld, id).Dispose();
    }

    /// <summary>Also after a change of the server's key alone, as every takeover brings it: the capsule is the gateway's then, not the one that the session came with.</summary>
    [Theory]
    [InlineData(CipherSuite.Aes128GcmSha256)]
    [InlineData(CipherSuite.EcdheRsaAes128GcmSha256)]
    public async Task Session_at_rest_is_sealed_anew_without_its_client(CipherSuite suite)
    {
        using var folder = new TempDirectory();
        await File.WriteAllTextAsync(folder.File("other.keys"), _other);
        await using var first = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=0s");
        await Eventually.TrueAsync(() => IsActive(first), "the silo is active");
        await using var session = DirectSession.Attach(first, suite);
        await AskAsync(session, 1);
        await session.GoOnAtAsync(first, AttachCause.Takeover);
        await AskAsync(session, 2);

        Keys(first).Replace(ClusterKeyRing.Parse(_other));
        await Eventually.TrueAsync(() => IsUnderOther(session.Books.Capsule), "the gateway has another capsule");

        // It never had the old key.
        await using var second = await first.StartPeerAsync(certificates, $"--Cluster:SealingKeyFile={folder.File("other.keys")}");
        await Eventually.TrueAsync(() => IsActive(second), "the second silo is active");
        await session.GoOnAtAsync(second, AttachCause.Takeover);
        await AskAsync(session, 3);
        Assert.Empty(session.Books.Faults);
    }

    [Fact]
    public async Task Session_that_comes_under_the_old_key_or_is_busy_is_sealed_anew_at_its_checkpoint()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=0s");
        await Eventually.TrueAsync(() => IsActive(silo), "the silo is active");
        var (reached, go) = silo.HoldAnswers("hello");
        await using var busy = DirectSession.Attach(silo);
        await busy.SendRequestAsync(Request);
        await reached;
        Keys(silo).Replace(ClusterKeyRing.Parse(_other));
        await Eventually.TrueAsync(() => Keys(silo).ClusterKeyName!.StartsWith("k2#", StringComparison.Ordinal), "the silo seals under the new key");

        // Sealed by somebody who was told later.
        await using var late = DirectSession.Attach(silo);
        await Eventually.TrueAsync(() => IsUnderOther(late.Books.Capsule), "the gateway has another capsule of the late session");
        Assert.False(IsUnderOther(busy.Books.Capsule));
        go.SetResult();
        await Eventually.TrueAsync(() => IsUnderOther(busy.Books.Capsule), "the gateway has another capsule of the busy session");
        Assert.Empty(busy.Books.Faults);
        Assert.Empty(late.Books.Faults);
    }

    private bool IsUnderOther(ReadOnlyMemory<byte> capsule)
    {
        using var other = ClusterKeyRing.Parse(_other);
        return SessionCapsule.IsSealedUnder(capsule.Span, other.KeyNames[0]);
    }

    private static async Task AskAsync(DirectSession session, int number)
    {
        await session.SendRequestAsync(Request);
        await session.ReceiveUntilAsync(text => text.Split("hello").Length - 1 == number);
        await session.Books.CheckpointedAsync();
    }

    private static SiloStatus Status(TestSilo silo) => silo.Application.Services.GetRequiredService<SiloStatus>();

    private static bool IsActive(TestSilo silo) => Status(silo).State == SiloState.Active;

    private static SharedKeyRing Keys(TestSilo silo) => silo.Application.Services.GetRequiredService<SharedKeyRing>();

    private static Sealer Sealer(TestSilo silo) => silo.Application.Services.GetRequiredService<Sealer>();

    /// <summary>The silo's keys as its part of the view has them.</summary>
    private static string? Reported(TestSilo silo) => silo.Application.Services.GetRequiredService<ClusterViewHolder>().Current.Silos.SingleOrDefault()?.SealingKeys;
}
