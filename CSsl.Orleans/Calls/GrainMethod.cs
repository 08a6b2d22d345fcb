using System.Reflection;

namespace CSsl.EmbeddedCluster.Calls;

/// <summary>One method of a grain interface, with everything that a call needs worked out once.</summary>
internal sealed class GrainMethod
{
    private readonly MethodInvoker _invoker;
    private readonly int _tokenIndex;

    public GrainMethod(MethodInfo method)
    {
        if (method.IsGenericMethod)
            throw new NotSupportedException($"{method.DeclaringType}.{method.Name} is generic; this engine has no generic grain methods.");

        var parameters = method.GetParameters();
        var tokens = parameters.Count(static p => p.ParameterType == typeof(CancellationToken));
        if (tokens > 1 || (tokens == 1 && parameters[^1].ParameterType != typeof(CancellationToken)))
            throw new NotSupportedException($"{method.DeclaringType}.{method.Name}: a CancellationToken comes once and last.");

        Info = method;
        ArgumentTypes = [.. parameters.SkipLast(tokens).Select(static p => p.ParameterType)];
        _tokenIndex = tokens == 1 ? parameters.Length - 1 : -1;
        Return = ReturnAdapter.For(method.ReturnType);
        _invoker = MethodInvoker.Create(method);
    }

    public MethodInfo Info { get; }

    /// <summary>Name on the wire, unique in its interface.</summary>
    public string WireName => $"{Info.Name}/{ArgumentTypes.Length}";

    /// <summary>The parameters that cross the wire: all but the CancellationToken.</summary>
    public Type[] ArgumentTypes { get; }

    public ReturnAdapter Return { get; }

    /// <summary>The token among a caller's arguments.</summary>
    public CancellationToken TokenOf(object?[] arguments) => _tokenIndex < 0 ? CancellationToken.None : (CancellationToken)arguments[_tokenIndex]!;

    /// <summary>A caller's arguments out of those that crossed the wire.</summary>
    public object?[] WithToken(object?[] wired, CancellationToken cancellationToken) => _tokenIndex < 0 ? wired : [.. wired, cancellationToken];

    public ValueTask<object?> Invoke(object grain, object?[] arguments) => Return.Unwrap(_invoker.Invoke(grain, arguments.AsSpan()));
}
