using System.Collections.Frozen;
using System.Reflection;
using CSsl.EmbeddedCluster.Calls;
using Orleans;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>The grain classes and interfaces of the process: those of all assemblies that refer to the engine.</summary>
internal sealed class GrainTypes
{
    private readonly FrozenDictionary<Type, GrainClass> _classes;
    private readonly FrozenDictionary<string, Type> _interfaces;

    /// <exception cref="OrleansConfigurationException">Two classes share a name or an interface.</exception>
    public GrainTypes(IReadOnlyList<Assembly> assemblies)
    {
        Assemblies = assemblies;
        var classes = assemblies.SelectMany(static a => a.GetTypes())
            .Where(static t => t is { IsClass: true, IsAbstract: false, IsGenericType: false } && typeof(Grain).IsAssignableFrom(t))
            .Select(static t => new GrainClass(t))
            .ToArray();
        RefuseDoubles(classes.Select(static c => (c.Name, c)));
        RefuseDoubles(classes.SelectMany(static c => c.Interfaces.Select(i => (i.FullName!, c))));
        _classes = classes.SelectMany(static c => c.Interfaces.Select(i => (Interface: i, Class: c))).ToFrozenDictionary(static p => p.Interface, static p => p.Class);
        _interfaces = _classes.Keys.ToFrozenDictionary(static i => i.FullName!);
        foreach (var type in _classes.Keys)
            GrainInterface.Of(type);
    }

    public IReadOnlyList<Assembly> Assemblies { get; }

    /// <summary>Every assembly of the application that can hold grains.</summary>
    public static IReadOnlyList<Assembly> ApplicationAssemblies()
    {
        var engine = typeof(Grain).Assembly.GetName().Name;
        var waiting = new Queue<Assembly>(AppDomain.CurrentDomain.GetAssemblies().Where(static a => !a.IsDynamic && !IsFramework(a.GetName().Name!)));
        var seen = waiting.Select(static a => a.GetName().Name!).ToHashSet();
        var found = new List<Assembly>();
        while (waiting.TryDequeue(out var assembly))
        {
            var references = assembly.GetReferencedAssemblies();
            if (references.Any(r => r.Name == engine))
                found.Add(assembly);
            foreach (var reference in references.Where(r => !IsFramework(r.Name!) && seen.Add(r.Name!)))
            {
                // What the application ships without can't hold its grains.
                if (TryLoad(reference) is { } loaded)
                    waiting.Enqueue(loaded);
            }
        }
        return found;
    }

    /// <exception cref="ArgumentException">No class implements the interface.</exception>
    public GrainClass ClassOf(GrainInterface grainInterface) => _classes.GetValueOrDefault(grainInterface.Type)
        ?? throw new ArgumentException($"No grain class implements {grainInterface.Type}.");

    public GrainInterface? FindInterface(string name) => _interfaces.TryGetValue(name, out var type) ? GrainInterface.Of(type) : null;

    private static Assembly? TryLoad(AssemblyName name)
    {
        try
        {
            return Assembly.Load(name);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static bool IsFramework(string name) => name.StartsWith("System.", StringComparison.Ordinal)
        || name.StartsWith("Microsoft.", StringComparison.Ordinal)
        || name is "System" or "netstandard" or "mscorlib" or "WindowsBase";

    private static void RefuseDoubles(IEnumerable<(string Name, GrainClass Class)> named)
    {
        if (named.GroupBy(static n => n.Name).FirstOrDefault(static g => g.Count() > 1) is { } twice)
            throw new OrleansConfigurationException($"'{twice.Key}' is claimed by the grain classes {string.Join(" and ", twice.Select(static t => t.Class.Type.ToString()))}.");
    }
}
