using CSsl.EmbeddedCluster.Calls;
using Orleans;
using Xunit;

namespace CSsl.Tests.Orleans.Calls;

public sealed class GrainReferenceTests
{
    [Fact]
    public async Task Key_can_be_read_from_a_reference()
    {
        await using var cluster = new TestCluster();
        var grains = (await cluster.StartClientAsync()).Grains();
        var guid = Guid.NewGuid();

        Assert.Equal("a/b", grains.GetGrain<IEchoGrain>("a/b").GetPrimaryKeyString());
        Assert.Equal(guid, grains.GetGrain<ILocalGrain>(guid).GetPrimaryKey());
        Assert.Equal(long.MinValue, grains.GetGrain<Activations.ITickGrain>(long.MinValue).GetPrimaryKeyLong());
        Assert.Throws<InvalidOperationException>(() => grains.GetGrain<IEchoGrain>("a").GetPrimaryKey());
        Assert.Throws<InvalidOperationException>(() => grains.GetGrain<IEchoGrain>("a").GetPrimaryKeyLong());
        Assert.Throws<ArgumentException>(() => grains.GetGrain<IEchoGrain>(" "));
    }

    [Fact]
    public async Task References_are_equal_when_interface_and_key_are()
    {
        await using var cluster = new TestCluster();
        var grains = (await cluster.StartClientAsync()).Grains();

        Assert.Equal(grains.GetGrain<IEchoGrain>("a"), grains.GetGrain<IEchoGrain>("a"));
        Assert.NotEqual(grains.GetGrain<IEchoGrain>("a"), grains.GetGrain<IEchoGrain>("b"));
        Assert.Equal("IEchoGrain(a)", grains.GetGrain<IEchoGrain>("a").ToString());
    }

    [Theory]
    [InlineData(typeof(INotAsync))]
    [InlineData(typeof(ITwoTokens))]
    [InlineData(typeof(IGenericMethod))]
    [InlineData(typeof(IAmbiguous))]
    public void Interface_is_refused_when_the_engine_can_not_serve_it(Type type)
        => Assert.Throws<NotSupportedException>(() => GrainInterface.Of(type));

    public interface INotAsync : IGrainWithStringKey
    {
        int Call();
    }

    public interface ITwoTokens : IGrainWithStringKey
    {
        Task Call(int x, CancellationToken one, CancellationToken two);
    }

    public interface IGenericMethod : IGrainWithStringKey
    {
        Task Call<T>(T x);
    }

    public interface IAmbiguous : IGrainWithStringKey
    {
        Task Call(int x);
        Task Call(string x);
    }
}
