using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Orleans;

namespace CSsl.Tests.Orleans.Compatibility;

/// <summary>
/// Microsoft.Orleans.Core.Abstractions and the stand-in, as metadata. The other Orleans assemblies, which the feed lacks, are replaced by
/// empty types of the names that Core.Abstractions refers to, so that its signatures can be read.
/// </summary>
internal sealed class OrleansMetadata : MetadataAssemblyResolver, IDisposable
{
    private const string Package = "microsoft.orleans.core.abstractions/10.4.2/lib/net10.0/Orleans.Core.Abstractions.dll";

    private readonly ConcurrentDictionary<string, byte[]> _missing = new();
    private readonly string[] _folders = [Path.GetDirectoryName(typeof(object).Assembly.Location)!, AppContext.BaseDirectory, Path.GetDirectoryName(typeof(Microsoft.AspNetCore.Http.HttpContext).Assembly.Location)!];
    private readonly MetadataLoadContext _context;
    private readonly string _originalPath;

    public OrleansMetadata()
    {
        var packages = typeof(OrleansMetadata).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static a => a.Key == "NuGetPackageRoot").Value!;
        _originalPath = Path.Combine(packages, Package);
        _context = new MetadataLoadContext(this, typeof(object).Assembly.GetName().Name);
        Original = _context.LoadFromAssemblyPath(_originalPath);
        StandIn = _context.LoadFromAssemblyPath(typeof(Grain).Assembly.Location);
    }

    /// <summary>What Microsoft ships.</summary>
    public Assembly Original { get; }

    public Assembly StandIn { get; }

    /// <summary>An assembly of this process, as metadata.</summary>
    public Assembly Load(Assembly assembly) => _context.LoadFromAssemblyPath(assembly.Location);

    public override Assembly? Resolve(MetadataLoadContext context, AssemblyName assemblyName)
    {
        var file = _folders.Select(f => Path.Combine(f, assemblyName.Name + ".dll")).FirstOrDefault(File.Exists);
        return file is not null
            ? context.LoadFromAssemblyPath(file)
            : context.LoadFromByteArray(_missing.GetOrAdd(assemblyName.Name!, Replace));
    }

    public void Dispose() => _context.Dispose();

    /// <summary>An assembly of empty types with the names under which the original refers to it.</summary>
    private byte[] Replace(string name)
    {
        using var pe = new PEReader(File.OpenRead(_originalPath));
        var metadata = pe.GetMetadataReader();
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(name), typeof(object).Assembly);
        var module = assembly.DefineDynamicModule(name);
        foreach (var reference in metadata.TypeReferences.Select(metadata.GetTypeReference).Where(r => IsFrom(metadata, r, name)))
        {
            var typeName = metadata.GetString(reference.Name);
            var type = module.DefineType($"{metadata.GetString(reference.Namespace)}.{typeName}", TypeAttributes.Public | TypeAttributes.Interface | TypeAttributes.Abstract);
            if (typeName.LastIndexOf('`') is var arity and > 0)
                type.DefineGenericParameters([.. Enumerable.Range(0, int.Parse(typeName[(arity + 1)..])).Select(static i => $"T{i}")]);
            type.CreateType();
        }
        using var image = new MemoryStream();
        assembly.Save(image);
        return image.ToArray();
    }

    private static bool IsFrom(MetadataReader metadata, TypeReference reference, string assembly)
        => reference.ResolutionScope.Kind == HandleKind.AssemblyReference
        && metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)reference.ResolutionScope).Name) == assembly;
}
