using System.Reflection;
using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Serialization;
using CSsl.Grains.Cluster;
using Orleans;
using Xunit;

namespace CSsl.Tests.Orleans;

/// <summary>The grain contracts of the application can be carried by either engine.</summary>
public sealed class ContractTests
{
    private static readonly Assembly Grains = typeof(IClusterGrain).Assembly;

    public static TheoryData<Type> Interfaces => [.. Grains.GetTypes().Where(static t => t.IsInterface && typeof(IGrain).IsAssignableFrom(t))];

    public static TheoryData<Type> Contracts => [.. Grains.GetTypes().Where(static t => t.GetCustomAttribute<GenerateSerializerAttribute>() is not null)];

    [Theory]
    [MemberData(nameof(Interfaces))]
    public void Arguments_and_results_of_every_grain_method_can_cross_the_wire(Type type)
    {
        foreach (var method in GrainInterface.Of(type).Methods)
        {
            foreach (var argument in method.ArgumentTypes)
                ContractSerializer.Options.GetTypeInfo(argument);
            if (method.Return.ResultType is { } result)
                ContractSerializer.Options.GetTypeInfo(result);
        }
    }

    [Theory]
    [MemberData(nameof(Interfaces))]
    public void Every_grain_interface_has_its_one_class(Type type)
        => Assert.True(type.IsAssignableFrom(new GrainTypes([Grains]).ClassOf(GrainInterface.Of(type)).Type));

    [Theory]
    [MemberData(nameof(Contracts))]
    public void Every_property_that_is_set_has_a_number_of_its_own(Type type)
    {
        var properties = type.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly).Where(static p => p.CanWrite).ToArray();

        Assert.All(properties, static p => Assert.NotNull(p.GetCustomAttribute<IdAttribute>()));
        Assert.Equal(properties.Length, properties.Select(static p => p.GetCustomAttribute<IdAttribute>()!.Id).Distinct().Count());
        ContractSerializer.Options.GetTypeInfo(type);
    }
}
