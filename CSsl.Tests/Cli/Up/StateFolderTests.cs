using System.Runtime.Versioning;
using CSsl.Cli.Up;
using CSsl.Hosting;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli.Up;

[UnsupportedOSPlatform("windows")]
public sealed class StateFolderTests : IDisposable
{
    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folder_is_its_owners_only()
        => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(StateFolder.Create(_folder.File("new")).Path));

    [Fact]
    public void Keys_are_made_once()
    {
        var state = StateFolder.Create(_folder.Path);
        state.EnsureKeys();
        var (cluster, sealing) = (File.ReadAllText(state.ClusterKey), File.ReadAllText(state.SealingKey));
        Assert.Equal(32, Convert.FromBase64String(cluster).Length);
        Assert.Equal("1", sealing.Split(':')[0]);
        Assert.Equal(32, Convert.FromBase64String(sealing.Split(':')[1]).Length);
        state.EnsureKeys();
        Assert.Equal((cluster, sealing), (File.ReadAllText(state.ClusterKey), File.ReadAllText(state.SealingKey)));
    }

    [Fact]
    public void Folder_serves_one_cluster_at_a_time()
    {
        var state = StateFolder.Create(_folder.Path);
        using (state.Claim())
        {
            var error = Assert.Throws<InUseException>(() => state.Claim());
            Assert.Contains($"is in use by the process {Environment.ProcessId}:", error.Message, StringComparison.Ordinal);
        }

        state.Claim().Dispose();
    }
}
