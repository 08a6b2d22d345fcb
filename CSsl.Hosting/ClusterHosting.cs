using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CSsl.Database;
using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Orleans.Hosting;
using ClusterOptions = CSsl.Hosting.Configuration.ClusterOptions;

namespace CSsl.Hosting;

/// <summary>What silos and gateways tell Orleans alike.</summary>
public static class ClusterHosting
{
    /// <summary>Checks the settings that name the cluster.</summary>
    /// <exception cref="ConfigurationException">One of them is missing.</exception>
    public static void Check(ClusterOptions cluster)
    {
        if (string.IsNullOrEmpty(cluster.Database))
            throw new ConfigurationException($"{ClusterOptions.Section}:{nameof(ClusterOptions.Database)} is not set: it is where the processes of a cluster find each other");
        string?[] tls = [cluster.TlsCertificateFile, cluster.TlsKeyFile, cluster.TlsAuthorityFile];
        if (tls.Contains(null) && tls.Any(static file => file is not null))
            throw new ConfigurationException($"{ClusterOptions.Section}:{nameof(ClusterOptions.TlsCertificateFile)}, {nameof(ClusterOptions.TlsKeyFile)} and {nameof(ClusterOptions.TlsAuthorityFile)} go together");
    }

    /// <summary>Names the cluster and its database to Orleans; before Orleans uses them, brings the tables up to date and checks the cluster key: call it before.</summary>
    /// <returns>The cluster's name for Orleans (see <see cref="ClusterKeyCheck"/>), and what its ADO.NET providers want to know.</returns>
    public static (string ClusterId, string Invariant, string ConnectionString) AddClusterDatabase(this WebApplicationBuilder builder, ClusterOptions cluster, ReadOnlyMemory<byte> clusterKey)
    {
        var database = ClusterDatabase.Of(cluster.Database!);
        var orleansId = ClusterKeyCheck.OrleansId(cluster.Id, clusterKey.Span);
        builder.Services.AddHostedService(_ => new DatabasePreparation(database));
        builder.Services.AddHostedService(_ => new ClusterKeyCheck(database, cluster.Id, orleansId, TimeProvider.System));
        return (orleansId, Invariant(database.Kind), database.ConnectionString);
    }

    /// <summary>What Orleans's ADO.NET providers call the database's driver.</summary>
    public static string Invariant(DatabaseKind kind) => kind == DatabaseKind.Postgres ? "Npgsql" : "System.Data.SQLite";

    /// <summary>What of Orleans's log an operator can use: see <see cref="OrleansLog"/>.</summary>
    public static void QuietOrleans(this WebApplicationBuilder builder) => OrleansLog.SetLevels(builder.Logging, builder.Configuration);

    /// <summary>Waits and sizes of a control plane: by default Orleans waits 30 s and takes 100 MB.</summary>
    public static void SetLimits(MessagingOptions options)
    {
        options.ResponseTimeout = TimeSpan.FromSeconds(3);
        options.MaxMessageBodySize = 4 << 20;
        options.MaxMessageHeaderSize = 64 << 10;
    }

    /// <summary>Mutual TLS on a silo's connections: with the operator's certificates if there are any, or else with what the cluster key makes.</summary>
    /// <exception cref="ConfigurationException">A file can't be used.</exception>
    public static void UseClusterTls(this ISiloBuilder builder, ClusterOptions cluster, ReadOnlySpan<byte> clusterKey)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<RefusedPeers>();
        builder.Configure<SiloConnectionOptions>(static options =>
        {
            options.ConfigureSiloInboundConnection(RefusedPeers.Watch);
            options.ConfigureGatewayInboundConnection(RefusedPeers.Watch);
        });
        builder.UseTls(Tls(cluster, clusterKey));
    }

    /// <summary>Likewise on a gateway's.</summary>
    /// <exception cref="ConfigurationException">A file can't be used.</exception>
    public static void UseClusterTls(this IClientBuilder builder, ClusterOptions cluster, ReadOnlySpan<byte> clusterKey) => builder.UseTls(Tls(cluster, clusterKey));

    private static Action<TlsOptions> Tls(ClusterOptions cluster, ReadOnlySpan<byte> clusterKey)
    {
        X509Certificate2 certificate;
        Func<X509Certificate2, bool> accepts;
        if (cluster.TlsCertificateFile is not null)
        {
            (certificate, var authority) = ReadCertificates(cluster);
            accepts = remote => IsSignedBy(authority, remote);
        }
        else
        {
            // Lives as long as the process.
            var identity = ClusterIdentity.Derive(clusterKey);
            (certificate, accepts) = (identity.Certificate, identity.IsShownBy);
        }

        return options =>
        {
            options.LocalCertificate = certificate;
            options.RemoteCertificateMode = options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
            options.SslProtocols = SslProtocols.Tls13;

            // Processes are known by their key or by who signed for them, not by names: addresses come and go.
            options.OnAuthenticateAsClient = static (_, client) => client.TargetHost = "c-ssl";
            options.RemoteCertificateValidation = (remote, _, _) => accepts(remote);
        };
    }

    private static (X509Certificate2 Certificate, X509Certificate2 Authority) ReadCertificates(ClusterOptions cluster)
    {
        try
        {
            return (X509Certificate2.CreateFromPemFile(cluster.TlsCertificateFile!, cluster.TlsKeyFile), X509CertificateLoader.LoadCertificateFromFile(cluster.TlsAuthorityFile!));
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{ClusterOptions.Section}:{nameof(ClusterOptions.TlsCertificateFile)}, {nameof(ClusterOptions.TlsKeyFile)} or {nameof(ClusterOptions.TlsAuthorityFile)} can't be used: {e.Message}", e);
        }
    }

    private static bool IsSignedBy(X509Certificate2 authority, X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }
}

/// <summary>Brings the cluster's tables up to date before anything that is started after it uses them: Orleans does not do it itself.</summary>
public sealed class DatabasePreparation(ClusterDatabase database) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => database.PrepareAsync(cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
