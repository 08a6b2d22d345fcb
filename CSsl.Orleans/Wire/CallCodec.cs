using System.Text.Json;
using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Serialization;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>Grain calls and answers as messages.</summary>
internal sealed class CallCodec(RemoteExceptions exceptions)
{
    public static CallMessage Encode(GrainCall call, int hops, bool placed) => new()
    {
        Interface = call.Interface.Name,
        Key = call.Key.Text,
        Method = call.Method.WireName,
        Arguments = [.. call.Method.ArgumentTypes.Select((type, i) => JsonSerializer.SerializeToElement(call.Arguments[i], type, ContractSerializer.Options))],
        Hops = hops,
        Placed = placed,
    };

    /// <exception cref="OrleansException">This silo has no such interface or method.</exception>
    public static GrainCall Decode(CallMessage message, GrainTypes types, CancellationToken cancellationToken)
    {
        var type = types.FindInterface(message.Interface) ?? throw new OrleansException($"No grain class here implements {message.Interface}.");
        var method = type.Find(message.Method);
        if (method is null || method.ArgumentTypes.Length != message.Arguments.Length)
            throw new OrleansException($"{message.Interface} has no method {message.Method} here.");
        object?[] arguments = [.. method.ArgumentTypes.Select((t, i) => message.Arguments[i].Deserialize(t, ContractSerializer.Options))];
        return new GrainCall(type, new GrainKey(message.Key), method, method.WithToken(arguments, cancellationToken));
    }

    public static CallAnswer EncodeResult(GrainMethod method, object? result) => new()
    {
        Result = method.Return.ResultType is { } type ? JsonSerializer.SerializeToElement(result, type, ContractSerializer.Options) : null,
    };

    public static CallAnswer EncodeFailure(Exception exception) => new() { Failure = RemoteExceptions.Describe(exception) };

    /// <summary>What the call returned; throws what it threw.</summary>
    public object? Decode(GrainMethod method, CallAnswer answer)
    {
        if (answer.Failure is { } failure)
            throw exceptions.Restore(failure);
        return method.Return.ResultType is { } type ? answer.Result?.Deserialize(type, ContractSerializer.Options) : null;
    }
}
