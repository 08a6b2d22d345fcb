using System.Reflection;
using System.Text.RegularExpressions;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>docs/survival-matrix.md names tests that there are, and all of them.</summary>
public sealed partial class SurvivalMatrixTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "survival-matrix.md"));

    private static readonly string[][] Table =
        [.. Page.Split('\n').Where(static line => line.StartsWith('|') && !line.StartsWith("|--", StringComparison.Ordinal)).Select(static line => line.Trim('|').Split('|'))];

    [Fact]
    public void Every_cell_names_a_test_of_each_class_of_its_column()
    {
        Assert.NotEmpty(Table[1..]);
        var wrong = new List<string>();
        foreach (string[] row in Table[1..])
        {
            for (int column = 1; column < Table[0].Length; column++)
            {
                string test = Names().Match(row[column]).Groups[1].Value;
                wrong.AddRange(ClassesOf(column).Where(type => !TestsOf(type).Contains(test)).Select(type => $"{row[0].Trim()}: {type.Name}.{test}"));
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_test_of_the_matrix_is_named()
    {
        string[] named = [.. Names().Matches(Page).Select(static match => match.Groups[1].Value)];
        Type[] classes = [.. Enumerable.Range(1, Table[0].Length - 1).SelectMany(ClassesOf), typeof(HandshakeTests), typeof(RollingRestartTests)];
        Assert.Empty(classes.SelectMany(TestsOf).Except(named));
        Assert.Empty(named.Except(classes.SelectMany(TestsOf)));
    }

    private static IEnumerable<Type> ClassesOf(int column)
        => ClassNames().Matches(Table[0][column]).Select(static match => typeof(SurvivalMatrixTests).Assembly.GetType($"{typeof(SurvivalMatrixTests).Namespace}.{match.Groups[1].Value}", throwOnError: true)!);

    private static IEnumerable<string> TestsOf(Type type) => type.GetMethods().Where(static method => method.GetCustomAttribute<FactAttribute>() is not null).Select(static method => method.Name);

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*_[A-Za-z0-9_]+)`")]
    private static partial Regex Names();

    [GeneratedRegex("`([A-Za-z0-9]+Tests)`")]
    private static partial Regex ClassNames();
}
