using System.Collections;
using System.Globalization;
using System.Reflection;

namespace CSsl.Hosting.Configuration;

/// <summary>Binds settings to the options classes, strictly: the classes are the schema.</summary>
internal static class SettingsBinder
{
    /// <summary>Sections that belong to others: YARP and the logging framework check them.</summary>
    public static readonly IReadOnlyList<string> PassedThrough = ["ReverseProxy", "Logging"];

    /// <summary>Sets <paramref name="target"/>'s properties; values in <paramref name="root"/> become what .NET's own binder understands.</summary>
    /// <exception cref="ConfigurationException">An unknown key or a bad value.</exception>
    public static void Bind(SettingNode root, CsslSettings target)
    {
        foreach (var child in root.Children)
        {
            if (!PassedThrough.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                BindProperty(child, target);
        }
    }

    /// <summary>Every key of the schema; elements of a list as "0".</summary>
    public static IEnumerable<string> KnownKeys() => KnownKeys(typeof(CsslSettings), "").Concat(PassedThrough);

    private static IEnumerable<string> KnownKeys(Type type, string prefix)
    {
        foreach (var property in Properties(type))
        {
            var key = prefix + property.Name;
            if (IsSection(property.PropertyType))
            {
                foreach (var below in KnownKeys(property.PropertyType, key + ':'))
                    yield return below;
            }
            else if (ElementType(property.PropertyType) is { } element && IsSection(element))
            {
                foreach (var below in KnownKeys(element, key + ":0:"))
                    yield return below;
            }
            else
            {
                yield return key;
            }
        }
    }

    private static void BindProperty(SettingNode node, object target)
    {
        var properties = Properties(target.GetType()).ToList();
        var property = properties.Find(candidate => candidate.Name.Equals(node.Name, StringComparison.OrdinalIgnoreCase)) ?? throw Unknown(node, properties);

        var type = property.PropertyType;
        if (IsSection(type))
            BindSection(node, property.GetValue(target)!);
        else if (ElementType(type) is { } element)
            property.SetValue(target, BindList(node, element, property));
        else if (node.HasChildren)
            throw new ConfigurationException($"{node.Children.First().Origin}: {node.Key} is a single value, not a section or a list");
        else if (node.Own?.Value is not null)
            property.SetValue(target, BindValue(node, type, property));
    }

    private static void BindSection(SettingNode node, object section)
    {
        if (!string.IsNullOrEmpty(node.Value))
            throw SettingValue.Bad(node.Own!, $"expected a section with the keys {string.Join(", ", Properties(section.GetType()).Select(property => property.Name))}");

        foreach (var child in node.Children)
            BindProperty(child, section);
    }

    private static Array BindList(SettingNode node, Type element, PropertyInfo property)
    {
        if (!string.IsNullOrEmpty(node.Value) && !IsSection(element))
            Split(node);
        if (!string.IsNullOrEmpty(node.Value))
            throw SettingValue.Bad(node.Own!, "expected a list");

        var items = new List<object>();
        foreach (var child in node.Children.OrderBy(Index))
        {
            if (IsSection(element))
            {
                var item = Activator.CreateInstance(element)!;
                BindSection(child, item);
                items.Add(item);
            }
            else if (child.HasChildren || child.Value is null)
            {
                throw new ConfigurationException($"{child.Origin}: {child.Key} is a single value, not a section or a list");
            }
            else
            {
                items.Add(BindValue(child, element, property));
            }
        }

        var list = Array.CreateInstance(element, items.Count);
        ((ICollection)items).CopyTo(list, 0);
        return list;
    }

    private static object BindValue(SettingNode node, Type type, PropertyInfo property)
    {
        var value = SettingValue.Convert(node.Own!, type, property);
        node.Own = node.Own! with { Value = SettingValue.Normalize(value) };
        return value;
    }

    /// <summary>"a,b" for a list of two: as good as the keys 0 and 1.</summary>
    private static void Split(SettingNode node)
    {
        var whole = node.Own!;
        var parts = whole.Value!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < parts.Length; i++)
        {
            var child = node.Child(i.ToString(CultureInfo.InvariantCulture));
            child.Own = whole with { Key = child.Key, Value = parts[i] };
        }

        node.Own = whole with { Value = null };
    }

    private static int Index(SettingNode node)
        => int.TryParse(node.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
            : throw new ConfigurationException($"{node.Origin}: {node.Key}: elements of a list are numbered from 0, '{node.Name}' is not a number");

    private static ConfigurationException Unknown(SettingNode node, List<PropertyInfo> siblings)
    {
        var parent = node.Key[..^node.Name.Length];
        var names = siblings.Select(property => property.Name).Concat(parent.Length == 0 ? PassedThrough : []).ToList();
        var meant = NearestKey.Find(node.Name, names) is { } sibling ? parent + sibling : KnownElsewhere(node.Name) ?? NearestKey.Find(node.Key, KnownKeys());
        var hint = meant is null ? $"known here: {string.Join(", ", names)}" : $"did you mean '{meant}'?";
        return new ConfigurationException($"{node.Origin}: unknown key '{node.Key}', {hint}");
    }

    /// <summary>A key that exists, but in another section.</summary>
    private static string? KnownElsewhere(string name)
        => KnownKeys().FirstOrDefault(key => key.EndsWith(':' + name, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<PropertyInfo> Properties(Type type)
        => type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is { IsPublic: true });

    private static bool IsSection(Type type) => type.IsClass && type != typeof(string) && ElementType(type) is null;

    private static Type? ElementType(Type type)
    {
        if (type.IsArray)
            return type.GetElementType();
        return type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)) ? type.GetGenericArguments()[0] : null;
    }
}

/// <summary>Marks an option that is a path: a relative one in a file is relative to that file, elsewhere to the working directory.</summary>
/// <remarks>A value with '=' in it is a connection string and stays as it is.</remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FilePathAttribute : Attribute;

/// <summary>Marks an option that is the name of a silo or gateway (<see cref="Grains.Cluster.ProcessName"/>).</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ProcessNameAttribute : Attribute;

/// <summary>Marks an option (or the elements of a list) that is "host:port" with an IP address, "localhost", or "*" for all addresses.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class HostPortAttribute : Attribute;
