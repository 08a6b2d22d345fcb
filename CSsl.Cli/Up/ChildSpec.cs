using CSsl.Hosting;

namespace CSsl.Cli.Up;

/// <summary>When a process is stopped: clients' connections first, what serves them after.</summary>
internal enum StopStage
{
    Gateway = 0,
    Silo = 1,
    Origin = 2,
}

/// <summary>A process to run: <c>dotnet Assembly.dll arguments</c>.</summary>
/// <param name="Name">Prefix of its log lines.</param>
/// <param name="Assembly">File name of its main assembly, in this program's own folder.</param>
/// <param name="Stage">When it is stopped.</param>
/// <param name="Arguments">Its command line.</param>
internal sealed record ChildSpec(string Name, string Assembly, StopStage Stage, IReadOnlyList<string> Arguments)
{
    /// <summary>How long it may take to stop by its own rules.</summary>
    public TimeSpan StopTime { get; init; } = CsslHost.StopTime(TimeSpan.Zero);
}
