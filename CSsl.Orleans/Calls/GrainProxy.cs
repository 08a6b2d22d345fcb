using System.Reflection;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Calls;

/// <summary>A grain reference. The base class of the types that <see cref="DispatchProxy"/> makes for grain interfaces.</summary>
internal class GrainProxy : DispatchProxy, IKeyed, IAddressable, IEquatable<GrainProxy>
{
    private IGrainCaller _caller = null!;
    private GrainInterface _interface = null!;

    public GrainKey Key { get; private set; }

    public static TGrainInterface Create<TGrainInterface>(IGrainCaller caller, GrainKey key)
    {
        var reference = Create<TGrainInterface, GrainProxy>();
        var proxy = (GrainProxy)(object)reference!;
        proxy._caller = caller;
        proxy._interface = GrainInterface.Of(typeof(TGrainInterface));
        proxy.Key = key;
        return reference;
    }

    public bool Equals(GrainProxy? other) => other is not null && ReferenceEquals(_interface, other._interface) && Key == other.Key;

    public override bool Equals(object? obj) => Equals(obj as GrainProxy);

    public override int GetHashCode() => HashCode.Combine(_interface, Key);

    public override string ToString() => $"{_interface.Type.Name}({Key})";

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var method = _interface[targetMethod!];
        return method.Return.Wrap(_caller.InvokeAsync(new GrainCall(_interface, Key, method, args ?? [])));
    }
}
