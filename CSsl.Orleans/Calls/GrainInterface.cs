using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;
using Orleans;

namespace CSsl.EmbeddedCluster.Calls;

/// <summary>A grain interface: its name and methods.</summary>
internal sealed class GrainInterface
{
    private static readonly ConcurrentDictionary<Type, GrainInterface> Known = new();

    private readonly FrozenDictionary<MethodInfo, GrainMethod> _byInfo;
    private readonly FrozenDictionary<string, GrainMethod> _byWireName;

    private GrainInterface(Type type)
    {
        if (!type.IsInterface || type.IsGenericType || !typeof(IGrain).IsAssignableFrom(type))
            throw new ArgumentException($"{type} is not a grain interface, or a generic one.");

        Type = type;
        var methods = type.GetInterfaces().Append(type).SelectMany(static i => i.GetMethods()).Where(static m => m.IsAbstract).Select(static m => new GrainMethod(m)).ToArray();
        _byInfo = methods.ToFrozenDictionary(static m => m.Info);
        if (methods.GroupBy(static m => m.WireName).FirstOrDefault(static g => g.Count() > 1) is { } twice)
            throw new NotSupportedException($"{type} has two methods {twice.Key}: this engine tells overloads apart by the number of arguments only.");
        _byWireName = methods.ToFrozenDictionary(static m => m.WireName);
    }

    public Type Type { get; }

    /// <summary>Name on the wire.</summary>
    public string Name => Type.FullName!;

    public IEnumerable<GrainMethod> Methods => _byInfo.Values;

    public GrainMethod this[MethodInfo info] => _byInfo[info];

    public static GrainInterface Of(Type type) => Known.GetOrAdd(type, static t => new GrainInterface(t));

    public GrainMethod? Find(string wireName) => _byWireName.GetValueOrDefault(wireName);
}
