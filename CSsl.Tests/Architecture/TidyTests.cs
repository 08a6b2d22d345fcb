using System.Text.RegularExpressions;
using Xunit;

namespace CSsl.Tests.Architecture;

/// <summary>The house rules that a machine can check (docs: CONTRIBUTING.md).</summary>
public sealed partial class TidyTests
{
    /// <summary>One concept per file: most have 50 to 200 lines, none more than this.</summary>
    private const int MaxLines = 300;

    private static SourceFile[] Everything { get; } = [.. SourceFile.Of([.. SourceFile.ProductProjects, .. SourceFile.OtherProjects])];

    [Fact]
    public void Product_files_are_short()
    {
        Assert.Empty(SourceFile.Of(SourceFile.ProductProjects)
            .Where(file => file.Lines.Length > MaxLines)
            .Select(file => $"{file.Path} has {file.Lines.Length} lines"));
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        Assert.Empty(Everything.SelectMany(file => file.Where(line => Marker().IsMatch(line))));
    }

    [Fact]
    public void Product_code_has_no_stub()
    {
        Assert.Empty(SourceFile.Of(SourceFile.ProductProjects)
            .SelectMany(file => file.Where(line => line.Contains(nameof(NotImplementedException), StringComparison.Ordinal))));
    }

    [Fact]
    public void No_exception_is_swallowed_silently()
    {
        Assert.Empty(Everything
            .Where(file => EmptyCatch().IsMatch(string.Join('\n', file.Lines)))
            .Select(file => file.Path));
    }

    [Fact]
    public void Tests_wait_for_events_and_never_sleep()
    {
        Assert.Empty(SourceFile.Of("CSsl.Tests")
            .Where(file => !file.Path.StartsWith("CSsl.Tests/Support/", StringComparison.Ordinal))
            .SelectMany(file => file.Where(line => Sleep().IsMatch(line))));
    }

    [GeneratedRegex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|XX" + @"X)\b")]
    private static partial Regex Marker();

    // A handler whose block holds nothing, not even a comment that says why.
    [GeneratedRegex(@"\bca" + @"tch\b[^{};]*[{]\s*[}]")]
    private static partial Regex EmptyCatch();

    [GeneratedRegex(@"\bThread\.Sleep\(|\bTask\.Delay\((?![^;]*[cC]lock)(?![^;]*[tT]ime\b)(?![^;]*Infinite)")]
    private static partial Regex Sleep();
}
