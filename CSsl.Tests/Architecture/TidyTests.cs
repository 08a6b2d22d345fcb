using System.Text.RegularExpressions;
using Xunit;

namespace CSsl.Tests.Architecture;

/// <summary>The house rules that no analyzer checks (docs: CONTRIBUTING.md; banned APIs: BannedSymbols.txt).</summary>
public sealed partial class TidyTests
{
    /// <summary>One concept per file: most have 50 to 200 lines, none more than this.</summary>
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
    public void No_exception_is_swallowed_silently()
    {
        Assert.Empty(Everything
            .Where(file => EmptyCatch().IsMatch(string.Join('\n', file.Lines)))
            .Select(file => file.Path));
    }

    [GeneratedRegex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|XX" + @"X)\b")]
    private static partial Regex Marker();

    // A handler whose block holds nothing, not even a comment that says why.
    [GeneratedRegex(@"\bca" + @"tch\b[^{};]*[{]\s*[}]")]
    private static partial Regex EmptyCatch();
}
