using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class DescriptorBudgetTests
{
    [Theory]
    [InlineData(500)]
    [InlineData(1024)]
    [InlineData(20_000)]
    [InlineData(1_048_576)]
    [InlineData(int.MaxValue)]
    public void Nobody_can_take_the_reserve(int limit)
    {
        foreach (var (isGateway, isSilo) in new[] { (true, false), (false, true), (true, true) })
        {
            var budget = DescriptorBudget.Of(limit, isGateway, isSilo, new LimitsOptions { Connections = int.MaxValue });

            Assert.True(budget.Reserve >= 384, $"{budget}");
            Assert.True((long)budget.Reserve + budget.Clients + budget.Links + budget.Origins <= limit, $"{budget}");
            Assert.Equal((isGateway, isSilo, isSilo), (budget.Clients > 0, budget.Links > 0, budget.Origins > 0));
        }
    }

    [Fact]
    public void What_the_operator_says_is_kept_to_as_far_as_it_fits()
    {
        var few = DescriptorBudget.Of(20_000, isGateway: true, isSilo: true, new LimitsOptions { Connections = 10, Links = 11, OriginConnections = 12, DescriptorReserve = 13 });
        Assert.Equal(new DescriptorBudget(20_000, 13, 10, 11, 12), few);

        var many = DescriptorBudget.Of(1000, isGateway: true, isSilo: true, new LimitsOptions { Connections = 5000, Links = 5000, OriginConnections = 5000, DescriptorReserve = 200 });
        Assert.Equal(new DescriptorBudget(1000, 200, 300, 200, 300), many);
    }

    [Fact]
    public void Limit_that_leaves_nothing_is_an_error_that_says_what_to_do()
    {
        var error = Assert.Throws<ConfigurationException>(() => DescriptorBudget.Of(256, isGateway: true, isSilo: false, new LimitsOptions()));
        Assert.Contains("256 files (ulimit -n)", error.Message, StringComparison.Ordinal);
        Assert.Contains("Limits:DescriptorReserve", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Max open files            500                  1000                 files     ", 500)]
    [InlineData("Max open files            unlimited            unlimited            files     ", int.MaxValue)]
    [InlineData("Max open files            1073741816           1073741816           files     ", 1_073_741_816)]
    [InlineData("Max locked memory         65536                65536                bytes     ", int.MaxValue)]
    public void Limit_is_read_as_proc_has_it(string line, int limit)
        => Assert.Equal(limit, FileDescriptors.Parse(["Limit                     Soft Limit           Hard Limit           Units     ", line]));
}
