using Xunit;

namespace CSsl.Tests.Orleans.Compatibility;

public sealed class CompatibilityTests
{
    /// <summary>Ours: Orleans has no such types.</summary>
    private static readonly string[] Own = ["Orleans.Hosting.EmbeddedClusterExtensions", "Orleans.Hosting.EmbeddedClusterOptions"];

    [Fact]
    public void Stand_in_does_not_differ_from_Orleans_in_what_both_have()
    {
        using var metadata = new OrleansMetadata();

        Assert.Equal("", string.Join('\n', ApiComparer.Differences(metadata.Original, metadata.StandIn)));
    }

    [Fact]
    public void Every_public_type_of_the_stand_in_is_compared_with_Orleans()
    {
        using var metadata = new OrleansMetadata();

        var compared = ApiComparer.Shared(metadata.Original, metadata.StandIn).Concat(OtherAssemblies.Types).Concat(Own);

        Assert.Equal(ApiSurface.TypesOf(metadata.StandIn).Keys.Order(StringComparer.Ordinal), compared.Order(StringComparer.Ordinal));
        Assert.Contains("Orleans.Grain", compared);
        Assert.Contains("Orleans.IGrainFactory", compared);
    }

    [Fact]
    public void Stand_in_is_as_read_from_Orleans_where_the_feed_lacks_its_assembly()
    {
        using var metadata = new OrleansMetadata();
        var types = ApiSurface.TypesOf(metadata.StandIn);

        var actual = OtherAssemblies.Types.SelectMany(name => ApiSurface.MembersOf(types[name]).Prepend(ApiSurface.Describe(types[name])).Select(line => $"{name}: {line}"));

        Assert.Equal(OtherAssemblies.Lines.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
    }
}
