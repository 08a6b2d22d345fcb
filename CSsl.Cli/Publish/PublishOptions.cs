namespace CSsl.Cli.Publish;

/// <summary>What <c>cssl publish</c> is to make.</summary>
/// <param name="Runtime">Operating system and processor: one of <see cref="Runtimes"/>.</param>
/// <param name="SelfContained">With the .NET runtime; without, the machine needs the ASP.NET Core runtime 10.</param>
/// <param name="Output">The folder to make.</param>
internal sealed record PublishOptions(string Runtime, bool SelfContained, string Output)
{
    public static readonly string[] Runtimes = ["linux-x64", "linux-arm64"];
}
