using System.Text.RegularExpressions;
using Xunit;

namespace CSsl.Tests.Architecture;

/// <summary>The house rules that no analyzer checks (docs: CONTRIBUTING.md; banned APIs: BannedSymbols.txt).</summary>
public sealed partial class TidyTests
{
    private static SourceFile[] Everything { get; } = [.. SourceFile.Of([.. SourceFile.ProductProjects, .. SourceFile.OtherProjects])];

    [Fact]
    public void Classes_are_split_where_their_concept_splits_and_not_over_files()
    {
        Assert.DoesNotContain(
            SourceFile.Of(SourceFile.ProductProjects).Select(static file => Path.GetFileNameWithoutExtension(file.Path)),
            static name => name.Contains('.', StringComparison.Ordinal));
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
