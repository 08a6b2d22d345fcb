using System.Reflection;

namespace CSsl.Tests.Orleans.Compatibility;

/// <summary>
/// Says in what a stand-in differs from the assembly that it stands for. The stand-in may have less: fewer types, members and interfaces.
/// What it has must be the same, so that source written against it compiles against the original and means the same.
/// </summary>
internal static class ApiComparer
{
    /// <summary>The types that both have.</summary>
    public static IEnumerable<string> Shared(Assembly original, Assembly standIn)
        => ApiSurface.TypesOf(standIn).Keys.Intersect(ApiSurface.TypesOf(original).Keys).Order(StringComparer.Ordinal);

    /// <summary>One line per difference; none when source that compiles against the stand-in compiles against the original.</summary>
    public static IEnumerable<string> Differences(Assembly original, Assembly standIn)
    {
        var originals = ApiSurface.TypesOf(original);
        var standIns = ApiSurface.TypesOf(standIn);
        return Shared(original, standIn).SelectMany(name => Differences(originals[name], standIns[name], standIns.Keys).Select(d => $"{name}: {d}"));
    }

    private static IEnumerable<string> Differences(Type original, Type standIn, IEnumerable<string> standInTypes)
    {
        var (expected, actual) = (ApiSurface.Describe(original), ApiSurface.Describe(standIn));
        if (expected != actual)
            yield return $"is '{actual}', not '{expected}'";

        var theirs = ApiSurface.InterfacesOf(original).ToHashSet();
        var ours = ApiSurface.InterfacesOf(standIn).ToHashSet();
        foreach (var extra in ours.Except(theirs))
            yield return $"implements {extra}, which the original does not";
        foreach (var missing in theirs.Except(ours).Intersect(standInTypes))
            yield return $"does not implement {missing}";

        var known = ApiSurface.MembersOf(original).ToHashSet();
        foreach (var member in ApiSurface.MembersOf(standIn).Where(m => !known.Contains(m) && !IsOfObject(m)))
            yield return $"has '{member}', which the original does not";
    }

    /// <summary>Every object has these, whether the type overrides them or not.</summary>
    private static bool IsOfObject(string member)
        => member is "virtual System.String ToString()" or "virtual System.Boolean Equals(System.Object obj)" or "virtual System.Int32 GetHashCode()";
}
