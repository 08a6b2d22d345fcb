using System.Reflection;
using Orleans;

namespace CSsl.Tests.Support;

/// <summary>A grain factory of a test's own. A proxy, because Orleans's interface has a dozen more members than the subset that is used.</summary>
public class FakeGrains : DispatchProxy
{
    private Func<object, object>? _grain;

    /// <summary>A factory that gives out what <paramref name="grain"/> makes of a key.</summary>
    public static IGrainFactory Of(Func<object, object> grain)
    {
        IGrainFactory factory = Create<IGrainFactory, FakeGrains>();
        ((FakeGrains)factory)._grain = grain;
        return factory;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        => targetMethod is { Name: nameof(IGrainFactory.GetGrain), IsGenericMethod: true } && args is [{ } key, null] ? _grain!(key)
        : targetMethod is { Name: nameof(IGrainFactory.CreateObjectReference), IsGenericMethod: true } && args is [{ } observer] ? observer
        : throw new NotSupportedException();
}
