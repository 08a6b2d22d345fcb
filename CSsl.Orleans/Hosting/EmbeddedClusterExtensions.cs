using Microsoft.Extensions.DependencyInjection;

namespace Orleans.Hosting;

/// <summary>What hosts call instead of Orleans's clustering and storage set-up: the only part of the engine that Orleans does not have.</summary>
public static class EmbeddedClusterExtensions
{
    /// <summary>The silo joins the cluster of <paramref name="options"/>.</summary>
    public static ISiloBuilder UseEmbeddedCluster(this ISiloBuilder builder, EmbeddedClusterOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        builder.Services.AddSingleton(options);
        return builder;
    }

    /// <summary>The client calls the cluster of <paramref name="options"/>. It starts without any silo: calls fail until there is one.</summary>
    public static IClientBuilder UseEmbeddedCluster(this IClientBuilder builder, EmbeddedClusterOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        builder.Services.AddSingleton(options);
        return builder;
    }
}
