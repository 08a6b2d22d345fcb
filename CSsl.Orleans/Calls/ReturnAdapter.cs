namespace CSsl.EmbeddedCluster.Calls;

/// <summary>Translates between a method's own return type (Task, ValueTask, and the generic forms) and Task of object.</summary>
internal abstract class ReturnAdapter
{
    /// <summary>The type that crosses the wire; null for Task and ValueTask.</summary>
    public virtual Type? ResultType => null;

    /// <summary>At the grain: what the method returned, as a task.</summary>
    public abstract ValueTask<object?> Unwrap(object? returned);

    /// <summary>At the caller: what the proxy returns.</summary>
    public abstract object Wrap(Task<object?> result);

    /// <exception cref="NotSupportedException">The type is none of the four.</exception>
    public static ReturnAdapter For(Type returnType)
    {
        if (returnType == typeof(Task))
            return new ForTask();
        if (returnType == typeof(ValueTask))
            return new ForValueTask();
        if (returnType.IsGenericType)
        {
            var definition = returnType.GetGenericTypeDefinition();
            var adapter = definition == typeof(Task<>) ? typeof(ForTask<>) : definition == typeof(ValueTask<>) ? typeof(ForValueTask<>) : null;
            if (adapter is not null)
                return (ReturnAdapter)Activator.CreateInstance(adapter.MakeGenericType(returnType.GetGenericArguments()))!;
        }
        throw new NotSupportedException($"Grain methods return Task, Task<T>, ValueTask or ValueTask<T>, not {returnType}.");
    }

    private sealed class ForTask : ReturnAdapter
    {
        public override async ValueTask<object?> Unwrap(object? returned)
        {
            await (Task)returned!;
            return null;
        }

        public override object Wrap(Task<object?> result) => result;
    }

    private sealed class ForValueTask : ReturnAdapter
    {
        public override async ValueTask<object?> Unwrap(object? returned)
        {
            await (ValueTask)returned!;
            return null;
        }

        public override object Wrap(Task<object?> result) => new ValueTask(result);
    }

    private sealed class ForTask<T> : ReturnAdapter
    {
        public override Type ResultType => typeof(T);

        public override async ValueTask<object?> Unwrap(object? returned) => await (Task<T>)returned!;

        public override object Wrap(Task<object?> result) => Cast(result);

        internal static async Task<T> Cast(Task<object?> result) => (T)(await result.ConfigureAwait(false))!;
    }

    private sealed class ForValueTask<T> : ReturnAdapter
    {
        public override Type ResultType => typeof(T);

        public override async ValueTask<object?> Unwrap(object? returned) => await (ValueTask<T>)returned!;

        public override object Wrap(Task<object?> result) => new ValueTask<T>(ForTask<T>.Cast(result));
    }
}
