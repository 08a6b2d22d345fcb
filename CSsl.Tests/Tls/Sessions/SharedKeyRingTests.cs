using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Sessions;

public sealed class SharedKeyRingTests
{
    private readonly string _old = ClusterKeyRing.Generate("old");
    private readonly string _new = ClusterKeyRing.Generate("new");

    [Fact]
    public void New_key_seals_and_the_old_one_opens_until_it_is_taken_out()
    {
        using var keys = new SharedKeyRing(ClusterKeyRing.Parse(_old));
        using var sealer = new SessionSealer(keys);
        using var secrets = new SecretSealer(keys);
        var id = Guid.NewGuid();
        var capsule = sealer.Seal(ExportedSessions.Sample(), id).Bytes;
        var secret = secrets.Seal("test", [1, 2, 3]);

        keys.Replace(ClusterKeyRing.Parse(_new + _old));
        sealer.Open(capsule.Span, id).Dispose();
        secrets.Open("test", secret).Dispose();
        var later = sealer.Seal(ExportedSessions.Sample(), id).Bytes;
        Assert.Equal(["new", "old"], keys.KeyIds);

        keys.Replace(ClusterKeyRing.Parse(_new));
        Assert.Throws<SealedSessionException>(() => sealer.Open(capsule.Span, id));
        Assert.Throws<SealedSessionException>(() => secrets.Open("test", secret));
        sealer.Open(later.Span, id).Dispose();
    }

    [Fact]
    public void Ring_that_was_replaced_is_wiped()
    {
        var first = ClusterKeyRing.Parse(_old);
        using var keys = new SharedKeyRing(first);
        keys.Replace(ClusterKeyRing.Parse(_new));

        Assert.Throws<ObjectDisposedException>(() => first.Derive("test", 32));
        keys.Derive("test", 32).Dispose();
    }

    [Fact]
    public async Task Ring_is_replaced_while_others_seal_and_open()
    {
        using var keys = new SharedKeyRing(ClusterKeyRing.Parse(_old));
        using var sealer = new SessionSealer(keys);
        var id = Guid.NewGuid();
        var sealing = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 300; i++)
                sealer.Open(sealer.Seal(ExportedSessions.Sample(), id).Bytes.Span, id).Dispose();
        })));

        var replaced = 0;
        for (; !sealing.IsCompleted || replaced == 0; replaced++)
            keys.Replace(ClusterKeyRing.Parse(replaced % 2 == 0 ? _new + _old : _old + _new));

        await sealing;
    }
}
