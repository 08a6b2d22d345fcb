using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public const string DefaultState = ".cssl";

    public static Option<string?> Https() => Endpoint("--https", $"Where clients connect. Default: Gateway:Listen of the configuration, or {GatewayOptions.DefaultListen}.");

    public static Option<string?> Admin()
        => Endpoint("--admin", $"The gateway's admin endpoint (/status, /metrics, /healthz). Default: Gateway:Admin of the configuration, which is {new GatewayOptions().Admin} unless it says otherwise.");

    public static Option<string?> Config() => new("--config")
    {
        Description = $"Configuration file. Default: {CsslConfiguration.DefaultFile} in the working directory, if it is there.",
        HelpName = "FILE",
    };

    public static Option<string?> Origin()
    {
        var option = new Option<string?>("--origin")
        {
            Description = "URL of the HTTP server behind the cluster. Default: the ReverseProxy section of the configuration, or a sample origin.",
            HelpName = "URL",
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
                result.AddError($"'{url}' is not a URL such as http://127.0.0.1:8080.");
        });
        return option;
    }

    public static Option<string> State() => new("--state")
    {
        Description = "Folder for development certificates, keys and the cluster's database; made on first use.",
        HelpName = "DIR",
        DefaultValueFactory = _ => DefaultState,
    };

    public static Option<int> Count(string name, string description, int minimum, int maximum, int defaultValue)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => defaultValue };
        option.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.Tokens.Count == 0)
                return;
            var text = result.Tokens[0].Value;
            if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) || number < minimum || number > maximum)
                result.AddError($"{name} takes a number from {minimum} to {maximum}, not '{text}'.");
        });
        return option;
    }

    /// <summary>"--Section:Key=value" arguments, directly or after "--".</summary>
    public static Argument<string[]> Settings()
    {
        var argument = new Argument<string[]>("settings")
        {
            Description = "Settings that override the configuration, in every process: --Limits:HandshakeTime=5s",
            Arity = ArgumentArity.ZeroOrMore,
        };
        argument.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                if (!token.Value.StartsWith("--", StringComparison.Ordinal) || !token.Value.Contains('=', StringComparison.Ordinal))
                    result.AddError($"'{token.Value}' is neither an option nor a setting (--Section:Key=value).");
            }
        });
        return argument;
    }

    /// <summary>What the configuration loader is given: the file, then the settings.</summary>
    public static IReadOnlyList<string> LoaderArguments(string? config, string[]? settings)
        => config is null ? settings ?? [] : ["--config", config, .. settings ?? []];

    private static Option<string?> Endpoint(string name, string description)
    {
        return new Option<string?>(name) { Description = description, HelpName = "PORT or HOST:PORT", CustomParser = ParseEndpoint };
    }

    /// <summary>A port of 127.0.0.1, or host:port.</summary>
    private static string? ParseEndpoint(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var endpoint = text.Contains(':', StringComparison.Ordinal) ? text : $"127.0.0.1:{text}";
        if (HostPort.TryParse(endpoint, out _))
            return endpoint;

        result.AddError($"'{text}' is not a port or host:port.");
        return null;
    }
}
