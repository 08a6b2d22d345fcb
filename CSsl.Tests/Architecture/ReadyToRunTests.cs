using System.Reflection.PortableExecutable;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Architecture;

public sealed class ReadyToRunTests
{
    /// <summary>All of ours, and of the packages those that take longest to compile when they start.</summary>
    public static TheoryData<string> Assemblies { get; } = [.. SourceFile.ProductProjects, "Orleans.Runtime", "Orleans.Core", "Orleans.Serialization", "Npgsql", "Yarp.ReverseProxy"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Programs_are_compiled_ahead_of_time_where_they_are_started_from(string assembly)
    {
        Assert.SkipUnless(Repository.IsRelease, "Debug builds are compiled as they run.");

        using var file = new PEReader(File.OpenRead(Repository.Program(assembly)));
        Assert.True(file.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0);
    }
}
