using System.Collections;
using System.Net;
using CSsl.Database;
using CSsl.Tls.Handshake;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Hosting.Configuration;

/// <summary>
/// Loads the configuration of a C-SSL process: cssl.json, then environment variables with the prefix CSSL_, then the command line; each overrides
/// the ones before.
/// </summary>
public static class CsslConfiguration
{
    /// <summary>The file that is read from the working directory when no other is named.</summary>
    public const string DefaultFile = "cssl.json";

    /// <summary>Prefix of environment variables; "__" stands for ':'.</summary>
    public const string EnvironmentPrefix = "CSSL_";

    /// <summary>Variables with this prefix are for the tests' own use.</summary>
    private const string TestPrefix = "CSSL_TEST_";

    /// <summary>Loads and checks the configuration.</summary>
    /// <param name="args">"--Section:Key=value" or "--Section:Key value", and "--config FILE".</param>
    /// <param name="environment">The variables; null takes the process's own.</param>
    /// <param name="workingDirectory">For relative paths; null takes the process's own.</param>
    /// <exception cref="ConfigurationException">A file that can't be read, an unknown key, a bad value.</exception>
    public static LoadedConfiguration Load(IReadOnlyList<string> args, IDictionary? environment = null, string? workingDirectory = null)
    {
        workingDirectory ??= Directory.GetCurrentDirectory();
        var commandLine = CommandLineSettings.Parse(args, workingDirectory, out var file);
        if (file is null && File.Exists(Path.Combine(workingDirectory, DefaultFile)))
            file = DefaultFile;

        var table = new SettingTable();
        if (file is not null)
            AddAll(table, JsonSettings.Read(file, workingDirectory));
        AddAll(table, FromEnvironment(environment ?? Environment.GetEnvironmentVariables(), workingDirectory));
        AddAll(table, commandLine);

        var root = SettingNode.Build(table.All);
        var settings = new CsslSettings();
        SettingsBinder.Bind(root, settings);
        var loaded = new LoadedConfiguration(settings, root, file is null ? null : Path.GetFullPath(file, workingDirectory));
        CheckTogether(loaded);
        return loaded;
    }

    /// <summary>A builder with the configuration, the log, Kestrel and routing, and nothing else: what a host needs to add its own parts.</summary>
    /// <remarks>Every options class is there as <see cref="IOptions{T}"/> and in <see cref="Settings"/>; the list of certificates as <c>IOptions&lt;CsslSettings&gt;</c>.</remarks>
    /// <exception cref="ConfigurationException"><inheritdoc cref="Load"/></exception>
    public static WebApplicationBuilder CreateBuilder(string[] args) => CreateBuilder(Load(args));

    /// <inheritdoc cref="CreateBuilder(string[])"/>
    public static WebApplicationBuilder CreateBuilder(LoadedConfiguration loaded)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Production });
        builder.Configuration.AddInMemoryCollection(loaded.Values);
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRouting();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(20));

        // Tells systemd, if that has started this process, when it is ready and when it stops. Before the console, whose format it would replace.
        builder.Services.AddSystemd();
        builder.Logging.AddCsslConsole(builder.Configuration);

        var settings = loaded.Settings;
        builder.Services.AddSingleton(loaded);
        builder.Services.AddSingleton(settings);
        AddOptions(builder.Services, settings);
        AddOptions(builder.Services, settings.Cluster);
        AddOptions(builder.Services, settings.Gateway);
        AddOptions(builder.Services, settings.Silo);
        AddOptions(builder.Services, settings.Limits);
        AddOptions(builder.Services, settings.Resumption);
        AddOptions(builder.Services, settings.Link);
        AddOptions(builder.Services, settings.Aggregation);
        if (settings.WatchParent)
            builder.Services.AddSingleton<IHostLifetime, ParentWatch>();
        return builder;
    }

    /// <summary>The settings of a builder that <see cref="CreateBuilder(string[])"/> made, for use while services are added.</summary>
    public static CsslSettings Settings(this WebApplicationBuilder builder)
        => builder.Services.LastOrDefault(service => service.ServiceType == typeof(CsslSettings))?.ImplementationInstance as CsslSettings
            ?? throw new InvalidOperationException("The builder was not made by CsslConfiguration.CreateBuilder.");

    /// <summary>What takes more than one value, or a look at it from elsewhere.</summary>
    private static void CheckTogether(LoadedConfiguration loaded)
    {
        try
        {
            loaded.Settings.Link.Validate();
        }
        catch (ArgumentException e)
        {
            throw new ConfigurationException($"{loaded.OriginOf("Link")}: {e.Message}", e);
        }

        if (loaded.Settings.Admin.OrleansDashboard && !IPAddress.IsLoopback(HostPort.Parse(loaded.Settings.Silo.Admin).Address))
        {
            const string Dashboard = $"{AdminOptions.Section}:{nameof(AdminOptions.OrleansDashboard)}";
            throw new ConfigurationException($"{loaded.OriginOf(Dashboard)}: {Dashboard}: the dashboard asks for no password, so Silo:Admin must be a loopback address, not {loaded.Settings.Silo.Admin}");
        }

        const string Database = $"{ClusterOptions.Section}:{nameof(ClusterOptions.Database)}";
        try
        {
            if (!string.IsNullOrEmpty(loaded.Settings.Cluster.Database))
                ClusterDatabase.Of(loaded.Settings.Cluster.Database);
        }
        catch (DatabaseException e)
        {
            throw new ConfigurationException($"{loaded.OriginOf(Database)}: {Database}: {e.Message}", e);
        }

        CheckCertificates(loaded);
        CheckLogLevels(loaded);
    }

    private static void CheckCertificates(LoadedConfiguration loaded)
    {
        for (var i = 0; i < loaded.Settings.Certificates.Count; i++)
        {
            var entry = $"{CertificateOptions.Section}:{i}";
            var certificate = loaded.Settings.Certificates[i];
            foreach (var (key, path, what) in new[] { (nameof(certificate.Certificate), certificate.Certificate, "its chain"), (nameof(certificate.Key), certificate.Key, "its private key") })
            {
                if (path.Length == 0)
                    throw new ConfigurationException($"{loaded.OriginOf(entry)}: {entry}:{key} is missing: the path of the PEM file with {what}");
            }

            foreach (var name in certificate.Names)
            {
                try
                {
                    HostName.ToAscii(name);
                }
                catch (ArgumentException e)
                {
                    throw new ConfigurationException($"{loaded.OriginOf(entry)}: {entry}:{nameof(certificate.Names)}: {e.Message}", e);
                }
            }
        }
    }

    /// <summary>The log is built after the configuration was accepted, and refuses a level with an exception of its own.</summary>
    private static void CheckLogLevels(LoadedConfiguration loaded)
    {
        foreach (var (key, value) in loaded.Values)
        {
            if (key.StartsWith("Logging:", StringComparison.OrdinalIgnoreCase) && key.Contains(":LogLevel:", StringComparison.OrdinalIgnoreCase)
                && !string.IsNullOrEmpty(value) && !Enum.TryParse<LogLevel>(value, ignoreCase: true, out _))
                throw new ConfigurationException($"{loaded.OriginOf(key)}: {key}: \"{value}\" is not valid, expected one of {string.Join(", ", Enum.GetNames<LogLevel>())}");
        }
    }

    private static void AddOptions<T>(IServiceCollection services, T options)
        where T : class
        => services.AddSingleton(Options.Create(options));

    private static IEnumerable<Setting> FromEnvironment(IDictionary environment, string workingDirectory)
        => from name in environment.Keys.Cast<string>().Order(StringComparer.Ordinal)
           where name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase) && !name.StartsWith(TestPrefix, StringComparison.OrdinalIgnoreCase)
           let key = name[EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal)
           select new Setting(key, (string?)environment[name] ?? "", $"environment variable {name}", workingDirectory);

    private static void AddAll(SettingTable table, IEnumerable<Setting> settings)
    {
        foreach (var setting in settings)
            table.Add(setting);
    }
}

/// <summary>The configuration can't be used. The message is one line for the operator: where (file and line, variable or argument), which key, what is expected.</summary>
public sealed class ConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
