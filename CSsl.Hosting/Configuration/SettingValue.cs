using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using CSsl.Grains.Cluster;

namespace CSsl.Hosting.Configuration;

/// <summary>Turns the text of a setting into the value of an option, or says what was expected.</summary>
public static class SettingValue
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>Converts <paramref name="setting"/> for an option of type <paramref name="type"/> and with the attributes of <paramref name="property"/>.</summary>
    /// <exception cref="ConfigurationException">Not such a value.</exception>
    internal static object Convert(Setting setting, Type type, PropertyInfo property)
    {
        var text = setting.Value!;
        type = Nullable.GetUnderlyingType(type) ?? type;
        object? value = type switch
        {
            _ when type == typeof(string) => text,
            _ when type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out var number) ? number : null,
            _ when type == typeof(long) => long.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out var number) ? number : null,
            _ when type == typeof(double) => double.TryParse(text, NumberStyles.Float, Culture, out var number) && double.IsFinite(number) ? number : null,
            _ when type == typeof(bool) => bool.TryParse(text, out var flag) ? flag : null,
            _ when type == typeof(TimeSpan) => TryParseTime(text, out var time) ? time : null,
            _ when type.IsEnum => ParseEnum(text, type),
            _ => throw new InvalidOperationException($"Options of type {type} are not supported: {property.DeclaringType}.{property.Name}"),
        };
        if (value is null)
            throw Bad(setting, $"expected {Expected(type)}");

        return Check(setting, value, property);
    }

    /// <summary>The text that .NET's own binder understands.</summary>
    internal static string Normalize(object value) => value switch
    {
        TimeSpan time => time.ToString("c", Culture),
        IFormattable formattable => formattable.ToString(null, Culture),
        _ => value.ToString()!,
    };

    /// <summary>"10s", "500ms", "2m", "1.5h", "1d", or .NET's "[d.]hh:mm:ss[.fff]". Not negative.</summary>
    public static bool TryParseTime(string text, out TimeSpan time)
    {
        text = text.Trim();
        if (text.Contains(':'))
            return TimeSpan.TryParse(text, Culture, out time) && time >= TimeSpan.Zero;

        time = default;
        var unitAt = text.AsSpan().IndexOfAnyInRange('a', 'z');
        if (unitAt <= 0 || !double.TryParse(text.AsSpan(0, unitAt), NumberStyles.AllowDecimalPoint | NumberStyles.AllowTrailingWhite, Culture, out var number))
            return false;

        var unit = text[unitAt..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            _ => TimeSpan.Zero,
        };
        if (unit == TimeSpan.Zero || number * unit.TotalDays > TimeSpan.MaxValue.TotalDays / 2)
            return false;

        time = unit * number;
        return true;
    }

    internal static ConfigurationException Bad(Setting setting, string expected)
        => new($"{setting.Origin}: {setting.Key}: \"{setting.Value}\" is not valid, {expected}");

    private static object? ParseEnum(string text, Type type)
        => text.Length > 0 && !text.AsSpan().ContainsAnyInRange('0', '9') && Enum.TryParse(type, text, ignoreCase: true, out var value) ? value : null;

    private static object Check(Setting setting, object value, PropertyInfo property)
    {
        if (property.GetCustomAttribute<RangeAttribute>() is { } range && !range.IsValid(value))
            throw Bad(setting, range.Maximum.Equals(int.MaxValue) ? $"expected at least {range.Minimum}" : $"expected {range.Minimum} to {range.Maximum}");

        if (value is not string text)
            return value;

        if (property.IsDefined(typeof(HostPortAttribute)) && !HostPort.TryParse(text, out _))
            throw Bad(setting, "expected host:port, such as \"127.0.0.1:8443\", \"[::1]:8443\" or \"*:8443\"");

        if (property.IsDefined(typeof(ProcessNameAttribute)) && !ProcessName.IsValid(text))
            throw Bad(setting, $"expected {ProcessName.Rule}");

        var isRelativePath = property.IsDefined(typeof(FilePathAttribute)) && text.Length > 0 && !text.Contains('=') && !Path.IsPathRooted(text);
        return isRelativePath ? Path.GetFullPath(text, setting.BaseDirectory) : text;
    }

    private static string Expected(Type type)
    {
        if (type == typeof(TimeSpan))
            return "a time such as \"10s\", \"500ms\", \"2m\", \"1h\" or \"00:00:10\"";
        if (type == typeof(bool))
            return "true or false";
        if (type.IsEnum)
        {
            var names = string.Join(", ", Enum.GetNames(type));
            return type.IsDefined(typeof(FlagsAttribute)) ? $"some of {names} (with commas between them)" : $"one of {names}";
        }

        return type == typeof(double) ? "a number" : "a whole number";
    }
}
