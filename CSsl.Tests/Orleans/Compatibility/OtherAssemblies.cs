namespace CSsl.Tests.Orleans.Compatibility;

/// <summary>
/// The types of the stand-in whose originals are in assemblies that the feed lacks. Each line was read in the API listing of the dotnet/orleans
/// repository (src/api, by assembly) and is written here as <see cref="ApiSurface"/> writes it: change one only after reading there again.
/// </summary>
internal static class OtherAssemblies
{
    private const string Listing = """
        Orleans.Serialization.Abstractions / Orleans.GenerateSerializerAttribute
            sealed class : System.Attribute on Class, Struct, Enum, multiple False, inherited True
            .ctor()
        Orleans.Serialization.Abstractions / Orleans.IdAttribute
            sealed class : System.Attribute on Class, Struct, Enum, Method, Property, Field, Parameter, multiple False, inherited True
            .ctor(System.UInt32 id)
            System.UInt32 Id { get; }
        Orleans.Serialization.Abstractions / Orleans.ImmutableAttribute
            sealed class : System.Attribute on Class, Struct, Property, Field, Parameter, ReturnValue, multiple False, inherited False
            .ctor()
        Orleans.Core / Microsoft.Extensions.Hosting.OrleansClientGenericHostExtensions
            static class : System.Object
            static Microsoft.Extensions.Hosting.IHostApplicationBuilder UseOrleansClient(Microsoft.Extensions.Hosting.IHostApplicationBuilder hostAppBuilder, System.Action<Orleans.Hosting.IClientBuilder> configureDelegate)
            static Microsoft.Extensions.Hosting.IHostBuilder UseOrleansClient(Microsoft.Extensions.Hosting.IHostBuilder hostBuilder, System.Action<Microsoft.Extensions.Hosting.HostBuilderContext, Orleans.Hosting.IClientBuilder> configureDelegate)
            static Microsoft.Extensions.Hosting.IHostBuilder UseOrleansClient(Microsoft.Extensions.Hosting.IHostBuilder hostBuilder, System.Action<Orleans.Hosting.IClientBuilder> configureDelegate)
        Orleans.Core / Orleans.Hosting.IClientBuilder
            interface
            Microsoft.Extensions.DependencyInjection.IServiceCollection Services { get; }
            Microsoft.Extensions.Configuration.IConfiguration Configuration { get; }
        Orleans.Core / Orleans.IClusterClient
            interface
            System.IServiceProvider ServiceProvider { get; }
        Orleans.Core / Orleans.Runtime.ILocalSiloDetails
            interface
            System.String Name { get; }
            System.String ClusterId { get; }
            Orleans.Runtime.SiloAddress SiloAddress { get; }
        Orleans.Core / Orleans.Storage.InconsistentStateException
            class : Orleans.Runtime.OrleansException
            .ctor()
            .ctor(System.String message)
            .ctor(System.String errorMsg, System.String storedEtag, System.String currentEtag)
            System.String StoredEtag { get; }
            System.String CurrentEtag { get; }
        Orleans.Runtime / Microsoft.Extensions.Hosting.OrleansSiloGenericHostExtensions
            static class : System.Object
            static Microsoft.Extensions.Hosting.IHostApplicationBuilder UseOrleans(Microsoft.Extensions.Hosting.IHostApplicationBuilder hostAppBuilder, System.Action<Orleans.Hosting.ISiloBuilder> configureDelegate)
            static Microsoft.Extensions.Hosting.IHostBuilder UseOrleans(Microsoft.Extensions.Hosting.IHostBuilder hostBuilder, System.Action<Microsoft.Extensions.Hosting.HostBuilderContext, Orleans.Hosting.ISiloBuilder> configureDelegate)
            static Microsoft.Extensions.Hosting.IHostBuilder UseOrleans(Microsoft.Extensions.Hosting.IHostBuilder hostBuilder, System.Action<Orleans.Hosting.ISiloBuilder> configureDelegate)
        Orleans.Runtime / Orleans.Hosting.ISiloBuilder
            interface
            Microsoft.Extensions.DependencyInjection.IServiceCollection Services { get; }
            Microsoft.Extensions.Configuration.IConfiguration Configuration { get; }
        Orleans.Runtime / Orleans.Runtime.IPersistentState`1
            interface
        Orleans.Runtime / Orleans.Runtime.PersistentStateAttribute
            class : System.Attribute on Parameter, multiple False, inherited True
            .ctor(System.String stateName, System.String storageName = default)
            System.String StateName { get; }
            System.String StorageName { get; }
        """;

    /// <summary>"type: what it is" and "type: member".</summary>
    public static IReadOnlyList<string> Lines { get; } = [.. Read()];

    public static IEnumerable<string> Types => Lines.Select(static l => l[..l.IndexOf(':', StringComparison.Ordinal)]).Distinct();

    private static IEnumerable<string> Read()
    {
        var type = "";
        foreach (var line in Listing.Split('\n'))
        {
            if (line.StartsWith(' '))
                yield return $"{type}: {line.TrimStart()}";
            else
                type = line[(line.IndexOf('/', StringComparison.Ordinal) + 2)..];
        }
    }
}
