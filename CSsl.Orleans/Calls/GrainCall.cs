namespace CSsl.EmbeddedCluster.Calls;

/// <summary>What a proxy is asked to do, with all arguments of the method, the CancellationToken included.</summary>
internal readonly record struct GrainCall(GrainInterface Interface, GrainKey Key, GrainMethod Method, object?[] Arguments)
{
    public CancellationToken CancellationToken => Method.TokenOf(Arguments);

    public override string ToString() => $"{Interface.Type.Name}({Key}).{Method.Info.Name}";
}

/// <summary>Delivers calls: a silo, or a client.</summary>
internal interface IGrainCaller
{
    Task<object?> InvokeAsync(GrainCall call);
}
