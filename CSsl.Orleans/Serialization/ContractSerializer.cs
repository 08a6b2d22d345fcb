using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace CSsl.EmbeddedCluster.Serialization;

/// <summary>
/// JSON under the contract of [GenerateSerializer] and [Id]: members by number, so that a rename is no break; unknown numbers are skipped,
/// missing ones keep their default. What Orleans would refuse is refused here too.
/// </summary>
internal static class ContractSerializer
{
    public static JsonSerializerOptions Options { get; } = CreateOptions();

    public static byte[] Serialize(object? value, Type type) => JsonSerializer.SerializeToUtf8Bytes(value, type, Options);

    /// <exception cref="JsonException">Not a value of the type.</exception>
    public static object? Deserialize(ReadOnlySpan<byte> utf8, Type type) => JsonSerializer.Deserialize(utf8, type, Options);

    private static JsonSerializerOptions CreateOptions()
    {
        var options = new JsonSerializerOptions
        {
            MaxDepth = 32,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RefuseWithoutContract } },
        };
        options.Converters.Add(new ContractConverterFactory());
        options.MakeReadOnly();
        return options;
    }

    private static void RefuseWithoutContract(JsonTypeInfo info)
    {
        if (info.Kind == JsonTypeInfoKind.Object || info.Type == typeof(object))
            throw new NotSupportedException($"{info.Type} can't cross the wire or be stored: it lacks [GenerateSerializer].");
    }
}
