using CSsl.Hosting.Configuration;
using CSsl.Silo.Sessions;
using CSsl.Tests.Support;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class SealingKeyKeeperTests : IAsyncLifetime, IDisposable
{
    private readonly TempDirectory _folder = new();
    private static readonly TimeSpan Retention = TimeSpan.FromHours(1);

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger<SealingKeyKeeper> _log = new();
    private readonly string _first = ClusterKeyRing.Generate("k1");
    private SharedKeyRing _keys = null!;
    private SealingKeyKeeper _keeper = null!;

    private string File => _folder.File("sealing.keys");

    public async ValueTask InitializeAsync()
    {
        Write(_first);
        _keys = new SharedKeyRing(ClusterKeyRing.Parse(_first), Retention, _time);
        _keeper = new SealingKeyKeeper(_keys, new ClusterOptions { SealingKeyFile = File, SealingKeyRetention = Retention }, _time, _log);
        await _keeper.StartAsync(default);
    }

    public async ValueTask DisposeAsync() => await _keeper.StopAsync(default);

    public void Dispose()
    {
        _keeper.Dispose();
        _keys.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task File_that_changes_is_read_again()
    {
        Write(ClusterKeyRing.Generate("k2") + _first);
        await LookUntilAsync("k2, k1");
        Write(ClusterKeyRing.Generate("k3"));
        await LookUntilAsync("k3", () => _log.Lines.Count == 2);

        Assert.Equal(["sealing keys, newest first: k2, k1", "sealing keys, newest first: k3; taken out, and to be wiped after 01:00:00: k2, k1"], _log.Lines.Select(static line => line.Message));
    }

    [Fact]
    public async Task Key_that_was_taken_out_is_wiped_when_its_time_is_over()
    {
        Write(ClusterKeyRing.Generate("k2"));
        await LookUntilAsync("k2", () => _log.Lines.Count == 1);
        Assert.Equal(["k1"], _keys.RetiredKeyIds);
        _time.Advance(Retention);
        await LookUntilAsync("k2", () => _log.Lines.Count == 2);
        Assert.Equal("sealing keys that were taken out are wiped: k1", _log.Lines[^1].Message);
        Assert.Empty(_keys.RetiredKeyIds);
    }

    [Fact]
    public async Task File_that_can_not_be_used_changes_nothing_and_is_told_once()
    {
        Write("nonsense");
        await LookUntilAsync("k1", () => _log.Lines.Count == 1);
        _time.Advance(SealingKeyKeeper.Interval);
        System.IO.File.Delete(File);
        await LookUntilAsync("k1", () => _log.Lines.Count == 2);
        Write(ClusterKeyRing.Generate("k2"));
        await LookUntilAsync("k2", () => _log.Lines.Count == 3);

        Assert.DoesNotContain("nonsense", _log.Lines[0].Message, StringComparison.Ordinal);
    }

    // At once, as one should.
    private void Write(string text)
    {
        System.IO.File.WriteAllText(File + ".new", text);
        System.IO.File.Move(File + ".new", File, overwrite: true);
    }

    // The look itself happens on another thread than the clock's.
    private Task LookUntilAsync(string ids, Func<bool>? also = null) => Eventually.TrueAsync(
        () =>
        {
            _time.Advance(SealingKeyKeeper.Interval);
            return string.Join(", ", _keys.KeyIds) == ids && also?.Invoke() != false;
        },
        $"the keys are {ids}");
}
