using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Hosting.Configuration;

/// <summary>docs/configuration.md against the options classes.</summary>
public sealed class DocumentationTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "configuration.md"));

    private static IEnumerable<string> Known => SettingsBinder.KnownKeys().Select(key => key.Replace(":0:", ":n:", StringComparison.Ordinal));

    [Fact]
    public void Every_key_is_documented()
        => Assert.All(Known, key => Assert.Contains($"`{key}`", Text, StringComparison.Ordinal));

    [Fact]
    public void Every_documented_key_exists()
    {
        var documented = from line in Text.Split('\n')
                         where line.StartsWith("| `", StringComparison.Ordinal)
                         let key = line.Split('`')[1]
                         where !key.StartsWith('-') && key.Any(char.IsUpper)
                         select key;
        Assert.Empty(documented.Except(Known));
    }

    [Fact]
    public void Documented_defaults_are_the_real_ones()
    {
        var defaults = new CsslSettings();
        Assert.All(
            from line in Text.Split('\n')
            where line.StartsWith("| `", StringComparison.Ordinal) && line.Contains(':', StringComparison.Ordinal)
            let cells = line.Split('|', StringSplitOptions.TrimEntries)
            let section = cells[1].Trim('`').Split(':')
            where section.Length == 2 && cells[2].StartsWith('`')
            select (section, Default: cells[2].Trim('`')),
            row => Assert.Equal(row.Default, ValueOf(defaults, row.section)));
    }

    [Fact]
    public void The_complete_example_is_valid()
    {
        using var folder = new TempDirectory();
        var example = Text.Split("```jsonc")[1].Split("```")[0];
        File.WriteAllText(folder.File("cssl.json"), example);
        var settings = CsslConfiguration.Load([], new System.Collections.Hashtable(), folder.Path).Settings;
        Assert.Equal(2, settings.Certificates.Count);
    }

    /// <summary>The default as the documentation writes it: times with their unit.</summary>
    private static string ValueOf(CsslSettings settings, string[] key)
    {
        var section = typeof(CsslSettings).GetProperty(key[0])!.GetValue(settings)!;
        return section.GetType().GetProperty(key[1])!.GetValue(section) switch
        {
            TimeSpan { Milliseconds: > 0 } time => $"{time.TotalMilliseconds}ms",
            TimeSpan { Ticks: > 0 } time when time.Ticks % TimeSpan.TicksPerHour == 0 => $"{time.TotalHours}h",
            TimeSpan { Ticks: > 0 } time when time.Ticks % TimeSpan.TicksPerMinute == 0 => $"{time.TotalMinutes}m",
            TimeSpan time => $"{time.TotalSeconds}s",
            bool flag => flag ? "true" : "false",
            var value => $"{value}",
        };
    }
}
