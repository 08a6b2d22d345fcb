using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Architecture;

/// <summary>Dependencies run one way: Tls ← {Link, Grains.Contracts} ← Hosting ← {Grains ← Silo, Gateway} ← Cli; Database stands by itself.</summary>
public sealed class DependencyTests
{
    public static TheoryData<string, string[]> Allowed => new()
    {
        { "CSsl.Tls", [] },
        { "CSsl.Database", [] },
        { "CSsl.Link", ["CSsl.Tls"] },
        { "CSsl.Grains.Contracts", ["CSsl.Tls"] },
        { "CSsl.Hosting", Below("CSsl.Database", "CSsl.Link", "CSsl.Grains.Contracts") },
        { "CSsl.Grains", Below("CSsl.Database", "CSsl.Grains.Contracts", "CSsl.Hosting", "CSsl.Link") },
        { "CSsl.Gateway", Below("CSsl.Database", "CSsl.Grains.Contracts", "CSsl.Hosting", "CSsl.Link") },
        { "CSsl.Silo", Below("CSsl.Database", "CSsl.Grains.Contracts", "CSsl.Hosting", "CSsl.Link", "CSsl.Grains") },
        { "CSsl.Cli", Below("CSsl.Database", "CSsl.Grains.Contracts", "CSsl.Hosting", "CSsl.Link", "CSsl.Grains", "CSsl.Gateway", "CSsl.Silo") },
    };

    [Theory]
    [MemberData(nameof(Allowed))]
    public void Assemblies_reference_only_what_lies_below_them(string assembly, string[] allowed)
    {
        string[] forbidden = [.. References(assembly).Where(name => name.StartsWith("CSsl.", StringComparison.Ordinal)).Except(allowed)];
        Assert.Empty(forbidden);
    }

    [Fact]
    public void Tls_knows_bytes_only()
    {
        string[] above = [.. References("CSsl.Tls").Where(name =>
            name is "System.Net.Sockets" or "System.Net.Http" or "System.Net.Security"
            || (name.StartsWith("Microsoft.", StringComparison.Ordinal) && !name.EndsWith(".Abstractions", StringComparison.Ordinal)))];
        Assert.Empty(above);
    }

    [Fact]
    public void Gateway_has_no_record_cipher_and_no_certificate()
    {
        // The gateway holds no key of any client or certificate: it can't name the types that would use one.
        string[] keyed = ["DataPhase", "RecordReadState", "RecordWriteState", "Sealer", "SharedKeyRing", "ClusterKeyRing", "ExportedSession", "IServerHandshake", "ICertificateSource", "X509Certificate2", "AesGcm"];
        Assert.Empty(TypeReferences("CSsl.Gateway").Intersect(keyed));
    }

    private static string[] Below(params string[] assemblies) => ["CSsl.Tls", .. assemblies];

    private static string[] References(string assembly) => Read(assembly, metadata =>
        metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name)));

    private static string[] TypeReferences(string assembly) => Read(assembly, metadata =>
        metadata.TypeReferences.Select(handle => metadata.GetString(metadata.GetTypeReference(handle).Name)));

    private static string[] Read(string assembly, Func<MetadataReader, IEnumerable<string>> names)
    {
        using var file = new PEReader(File.OpenRead(Repository.Assembly(assembly)));
        return [.. names(file.GetMetadataReader())];
    }
}
