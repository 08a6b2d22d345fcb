using System.Reflection;
using CSsl.Grains.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Xunit;

namespace CSsl.Tests.Grains;

/// <summary>What the grains' contracts say can cross the wire, by number.</summary>
public sealed class ContractTests : IDisposable
{
    private static readonly Assembly Assembly = typeof(IClusterGrain).Assembly;

    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public static TheoryData<Type> Interfaces => [.. Assembly.GetTypes().Where(static t => t.IsInterface && typeof(IGrain).IsAssignableFrom(t))];

    public static TheoryData<Type> Contracts => [.. Assembly.GetTypes().Where(static t => t.GetCustomAttribute<GenerateSerializerAttribute>() is not null)];

    public void Dispose() => _services.Dispose();

    [Theory]
    [MemberData(nameof(Interfaces))]
    public void Arguments_and_results_of_every_grain_method_can_cross_the_wire(Type type)
    {
        var codecs = _services.GetRequiredService<ICodecProvider>();
        foreach (MethodInfo method in type.GetMethods())
        {
            foreach (Type argument in method.GetParameters().Select(static p => p.ParameterType).Where(static t => t != typeof(CancellationToken)))
                Assert.NotNull(codecs.TryGetCodec(argument));
            if (method.ReturnType.IsGenericType)
                Assert.NotNull(codecs.TryGetCodec(method.ReturnType.GetGenericArguments()[0]));
        }
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public void Every_grain_interface_has_its_one_class(Type type)
        => Assert.Single(typeof(ClusterGrain).Assembly.GetTypes(), t => t.IsClass && !t.IsAbstract && typeof(Grain).IsAssignableFrom(t) && type.IsAssignableFrom(t));

    [Theory]
    [MemberData(nameof(Contracts))]
    public void Every_property_that_is_set_has_a_number_of_its_own(Type type)
    {
        PropertyInfo[] properties = [.. type.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly).Where(static p => p.CanWrite)];

        Assert.All(properties, static p => Assert.NotNull(p.GetCustomAttribute<IdAttribute>()));
        Assert.Equal(properties.Length, properties.Select(static p => p.GetCustomAttribute<IdAttribute>()!.Id).Distinct().Count());
    }
}
