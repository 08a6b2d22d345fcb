using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans;

namespace CSsl.EmbeddedCluster.Serialization;

/// <summary>Makes converters for the types marked [GenerateSerializer].</summary>
internal sealed class ContractConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => !typeToConvert.IsEnum && typeToConvert.GetCustomAttribute<GenerateSerializerAttribute>(inherit: false) is not null;

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options)
        => (JsonConverter)Activator.CreateInstance(typeof(ContractConverter<>).MakeGenericType(typeToConvert), BindingFlags.Instance | BindingFlags.Public | BindingFlags.DoNotWrapExceptions, null, null, null)!;
}

/// <summary>Writes a value as an object whose property names are the numbers of the members: "0", "1"; of a base type's members "base.0".</summary>
internal sealed class ContractConverter<T> : JsonConverter<T>
{
    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private readonly Dictionary<string, Member> _members = [];
    private readonly bool _runsConstructor;

    public ContractConverter()
    {
        if (typeof(T).IsAbstract)
            throw new NotSupportedException($"{typeof(T)} is abstract: this engine writes values as their declared types.");

        var prefix = "";
        for (var type = typeof(T); type != typeof(object) && type != typeof(ValueType) && type is not null; type = type.BaseType, prefix += "base.")
        {
            foreach (var member in type.GetMembers(Declared))
            {
                if (member.GetCustomAttribute<IdAttribute>() is { } id && !_members.TryAdd(prefix + id.Id.ToString(CultureInfo.InvariantCulture), Member.Of(member)))
                    throw new NotSupportedException($"{type} has two members with [Id({id.Id})].");
            }
        }
        if (_members.Count == 0 && typeof(T).GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Length > 0)
            throw new NotSupportedException($"{typeof(T)} has [GenerateSerializer], but none of its members has [Id].");

        // As in Orleans: a constructor that asks for nothing runs, so that missing members keep what it gives them.
        _runsConstructor = typeof(T).IsValueType
            || (typeof(T).GetConstructor(Type.EmptyTypes) is not null && typeof(T).GetCustomAttribute<RequiredMemberAttribute>() is null);
    }

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException();
        var value = _runsConstructor ? Activator.CreateInstance<T>()! : RuntimeHelpers.GetUninitializedObject(typeof(T));
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var known = _members.TryGetValue(reader.GetString()!, out var member);
            reader.Read();
            if (known)
                member!.Set(value, JsonSerializer.Deserialize(ref reader, member.Type, options));
            else
                reader.Skip();
        }
        return (T)value;
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, member) in _members)
        {
            writer.WritePropertyName(name);
            JsonSerializer.Serialize(writer, member.Get(value!), member.Type, options);
        }
        writer.WriteEndObject();
    }

    private sealed record Member(Type Type, Func<object, object?> Get, Action<object, object?> Set)
    {
        public static Member Of(MemberInfo member) => member switch
        {
            FieldInfo field => new Member(field.FieldType, field.GetValue, field.SetValue),
            PropertyInfo { CanRead: true, CanWrite: true } property => new Member(property.PropertyType, property.GetValue, property.SetValue),
            PropertyInfo property when property.DeclaringType!.GetField($"<{property.Name}>k__BackingField", Declared) is { } backing
                => new Member(backing.FieldType, backing.GetValue, backing.SetValue),
            _ => throw new NotSupportedException($"[Id] on {member.DeclaringType}.{member.Name}: it can't be read and written."),
        };
    }
}
