namespace CSsl.Hosting.Configuration;

/// <summary>Reads settings from a command line: "--Section:Key=value" or "--Section:Key value", and "--config FILE".</summary>
internal static class CommandLineSettings
{
    private const string ConfigOption = "config";
    private const string Origin = "command line";

    /// <exception cref="ConfigurationException">An argument of another form.</exception>
    public static List<Setting> Parse(IReadOnlyList<string> args, string workingDirectory, out string? file)
    {
        file = null;
        var settings = new List<Setting>();
        for (var i = 0; i < args.Count; i++)
        {
            var argument = args[i];
            if (!argument.StartsWith("--", StringComparison.Ordinal) || argument.Length == 2)
                throw new ConfigurationException($"{Origin}: '{argument}' is not understood, expected --Section:Key=value");

            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? argument[2..] : argument[2..equals];
            string value;
            if (equals >= 0)
                value = argument[(equals + 1)..];
            else if (i + 1 < args.Count)
                value = args[++i];
            else
                throw new ConfigurationException($"{Origin}: --{key} needs a value: --{key}=…");

            if (key.Equals(ConfigOption, StringComparison.OrdinalIgnoreCase))
                file = value;
            else
                settings.Add(new Setting(key, value, Origin, workingDirectory));
        }

        return settings;
    }
}
