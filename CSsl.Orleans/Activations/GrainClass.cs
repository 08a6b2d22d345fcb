using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Placement;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>A class of grains: how its instances are made and where.</summary>
internal sealed class GrainClass
{
    private readonly ObjectFactory _factory;
    private readonly (Type State, PersistentStateAttribute Attribute)[] _states;

    public GrainClass(Type type)
    {
        Type = type;
        var name = type.Name.EndsWith(nameof(Grain), StringComparison.Ordinal) && type.Name.Length > nameof(Grain).Length ? type.Name[..^nameof(Grain).Length] : type.Name;
        Name = name.ToLowerInvariant();
        PreferLocal = type.GetCustomAttribute<PreferLocalPlacementAttribute>() is not null;
        Interfaces = [.. type.GetInterfaces().Where(static i => typeof(IGrain).IsAssignableFrom(i) && i.GetMethods().Length > 0)];

        var constructors = type.GetConstructors();
        if (constructors.Length != 1)
            throw new OrleansConfigurationException($"{type} needs exactly one public constructor.");
        _states = [.. constructors[0].GetParameters()
            .Select(static p => (p.ParameterType, Attribute: p.GetCustomAttribute<PersistentStateAttribute>()))
            .Where(static p => p.Attribute is not null)
            .Select(p => (StateOf(p.ParameterType), p.Attribute!))];
        _factory = ActivatorUtilities.CreateFactory(type, [.. _states.Select(static s => typeof(IPersistentState<>).MakeGenericType(s.State))]);
    }

    public Type Type { get; }

    /// <summary>Name in grain ids and in the storage: the class's, without "Grain", in lower case, as Orleans names it.</summary>
    public string Name { get; }

    public bool PreferLocal { get; }

    public Type[] Interfaces { get; }

    /// <summary>Makes the grain and its states, which are not read yet.</summary>
    public object Create(IServiceProvider services, Func<Type, string, object> createState, out object[] states)
    {
        states = [.. _states.Select(s => createState(s.State, s.Attribute.StateName))];
        return _factory(services, states);
    }

    private Type StateOf(Type parameter) => parameter.IsGenericType && parameter.GetGenericTypeDefinition() == typeof(IPersistentState<>)
        ? parameter.GetGenericArguments()[0]
        : throw new OrleansConfigurationException($"{Type}: [PersistentState] is for parameters of type IPersistentState<T>.");
}
