using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace CSsl.Tests.Support;

/// <summary>The context of a grain that a test makes itself; notes that the grain wants to leave. A proxy, because Orleans's interface has a dozen more members.</summary>
public class FakeGrainContext : DispatchProxy
{
    private static readonly IServiceProvider NoServices = new ServiceCollection().BuildServiceProvider();

    private static readonly GrainId Id = GrainId.Create("fake", "fake");

    private bool _hasLeft;

    public static IGrainContext New() => Create<IGrainContext, FakeGrainContext>();

    /// <summary>True once the grain has asked to be deactivated.</summary>
    public static bool HasLeft(IGrainContext context) => ((FakeGrainContext)context)._hasLeft;

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case nameof(IGrainContext.Deactivate):
                _hasLeft = true;
                return null;
            case $"get_{nameof(IGrainContext.GrainId)}":
                return Id;
            case $"get_{nameof(IGrainContext.ActivationServices)}":
                return NoServices;
            default:
                throw new NotSupportedException(targetMethod.Name);
        }
    }
}
