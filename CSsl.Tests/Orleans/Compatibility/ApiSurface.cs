using System.Reflection;
using System.Runtime.CompilerServices;

namespace CSsl.Tests.Orleans.Compatibility;

/// <summary>The public and protected surface of an assembly as text: per type its own properties, and a line per member that says all that a caller's or implementer's source depends on.</summary>
internal static class ApiSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IReadOnlyDictionary<string, Type> TypesOf(Assembly assembly)
        => assembly.GetTypes().Where(static t => t.IsPublic || t.IsNestedPublic).ToDictionary(static t => t.FullName!);

    /// <summary>Kind and modifiers, base type, constraints and, of an attribute, where it may stand.</summary>
    public static string Describe(Type type)
    {
        var kind = type.IsInterface ? "interface" : type.IsEnum ? $"enum : {Name(type.GetEnumUnderlyingType())}" : type.IsValueType ? "struct" : "class";
        var modifiers = type is { IsClass: true, IsAbstract: true, IsSealed: true } ? "static " : type is { IsClass: true, IsAbstract: true } ? "abstract " : type is { IsClass: true, IsSealed: true } ? "sealed " : "";
        var description = $"{modifiers}{kind}{Constraints(type.GetGenericArguments())}";
        if (type.IsClass)
            description += $" : {Name(type.BaseType!)}";
        if (Usage(type) is { } usage)
            description += $" on {usage}";
        return description;
    }

    public static IEnumerable<string> InterfacesOf(Type type) => type.GetInterfaces().Select(Name);

    /// <summary>One line per constructor, method, property and field that code outside the assembly can see.</summary>
    public static IEnumerable<string> MembersOf(Type type)
    {
        if (type.IsEnum)
            return type.GetFields(Declared).Where(static f => f.IsStatic).Select(static f => $"{f.Name} = {f.GetRawConstantValue()}");

        return type.GetConstructors(Declared).Where(static c => !c.IsStatic && IsVisible(c)).Select(static c => $"{Modifiers(c)}.ctor({Parameters(c)})")
            .Concat(type.GetMethods(Declared).Where(static m => !m.IsSpecialName && IsVisible(m)).Select(Signature))
            .Concat(type.GetProperties(Declared).Select(Signature).OfType<string>())
            .Concat(type.GetFields(Declared).Where(static f => f.IsPublic || f.IsFamily || f.IsFamilyOrAssembly).Select(static f => $"field {(f.IsStatic ? "static " : "")}{Name(f.FieldType)} {f.Name}"));
    }

    private static string Signature(MethodInfo method)
        => $"{Modifiers(method)}{Name(method.ReturnType)} {method.Name}{Generic(method)}({Parameters(method)}){Constraints(method.GetGenericArguments())}";

    private static string? Signature(PropertyInfo property)
    {
        var getter = property.GetMethod is { } get && IsVisible(get) ? get : null;
        var setter = property.SetMethod is { } set && IsVisible(set) ? set : null;
        if ((getter ?? setter) is not { } accessor)
            return null;
        var isInit = setter?.ReturnParameter.GetRequiredCustomModifiers().Any(static m => m.Name == nameof(IsExternalInit)) ?? false;
        return $"{Modifiers(accessor)}{Name(property.PropertyType)} {property.Name} {{{(getter is null ? "" : " get;")}{(setter is null ? "" : isInit ? " init;" : " set;")} }}";
    }

    private static string Modifiers(MethodBase method)
    {
        var access = method.IsPublic ? "" : method.IsFamilyOrAssembly ? "protected internal " : "protected ";
        var kind = method.IsStatic ? "static " : method.DeclaringType!.IsInterface ? (method.IsAbstract ? "" : "default ") : method.IsAbstract ? "abstract " : method is { IsVirtual: true, IsFinal: false } ? "virtual " : "";
        return access + kind;
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(static p =>
        (p.ParameterType.IsByRef ? p.IsOut ? "out " : p.IsIn ? "in " : "ref " : "")
        + Name(p.ParameterType.IsByRef ? p.ParameterType.GetElementType()! : p.ParameterType) + " " + p.Name
        + (p.IsOptional ? $" = {p.RawDefaultValue ?? "default"}" : "")));

    private static string Generic(MethodInfo method) => method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(static a => a.Name))}>" : "";

    private static string Constraints(Type[] arguments) => string.Concat(arguments.Where(static a => a.IsGenericParameter && (a.GenericParameterAttributes != 0 || a.GetGenericParameterConstraints().Length > 0)).Select(static a =>
        $" where {a.Name}({a.GenericParameterAttributes}): {string.Join(", ", a.GetGenericParameterConstraints().Select(Name).Order(StringComparer.Ordinal))}"));

    private static string? Usage(Type type)
    {
        var usage = type.GetCustomAttributesData().FirstOrDefault(static a => a.AttributeType.FullName == typeof(AttributeUsageAttribute).FullName);
        if (usage is null)
            return null;
        object? Named(string name) => usage.NamedArguments.Where(a => a.MemberName == name).Select(static a => a.TypedValue.Value).FirstOrDefault();
        return $"{(AttributeTargets)(int)usage.ConstructorArguments[0].Value!}, multiple {Named("AllowMultiple") ?? false}, inherited {Named("Inherited") ?? true}";
    }

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
            return type.Name;
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        if (!type.IsGenericType)
            return type.FullName!;
        var definition = type.GetGenericTypeDefinition().FullName!;
        return $"{definition[..definition.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
