using CSsl.Hosting;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class CpuAllowanceTests : IDisposable
{
    private readonly TempDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("50000 100000", 0.5)]
    [InlineData("20000 50000", 0.4)]
    public void Version_2_quota_is_read_of_the_group_and_of_those_above_it(string max, double cores)
    {
        Write("cpu.max", "max 100000");
        Write("a/cpu.max", max);
        Write("a/b/cpu.max", "900000 100000");
        Assert.Equal(Math.Min(cores, Environment.ProcessorCount), Read("0::/a/b"));
    }

    [Fact]
    public void Version_1_quota_is_read()
    {
        Write("cpu,cpuacct/x/cpu.cfs_quota_us", "25000");
        Write("cpu,cpuacct/x/cpu.cfs_period_us", "100000");
        Write("cpu,cpuacct/cpu.cfs_quota_us", "-1");
        Write("cpu,cpuacct/cpu.cfs_period_us", "100000");
        Assert.Equal(0.25, Read("7:memory:/y\n3:cpu,cpuacct:/x"));
    }

    [Theory]
    [InlineData("0::/a")]
    [InlineData("")]
    [InlineData("nonsense")]
    public void Without_a_quota_it_is_the_machine(string memberships) => Assert.Equal(Environment.ProcessorCount, Read(memberships));

    [Fact]
    public void Without_control_groups_it_is_the_machine()
        => Assert.Equal(Environment.ProcessorCount, new CpuAllowance(_root.File("none"), _root.File("none")).Read());

    private void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.File(file))!);
        File.WriteAllText(_root.File(file), text + "\n");
    }

    private double Read(string memberships)
    {
        Write("memberships", memberships);
        return new CpuAllowance(_root.Path, _root.File("memberships")).Read();
    }
}
