using System.Diagnostics;
using CSsl.Hosting;

namespace CSsl.Cli.Up;

/// <summary>
/// One running process of the cluster. It stops when its standard input ends (ParentWatch): closing the pipe is how it is asked to,
/// and the operating system closes it when this program is killed.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task _output;

    private ChildProcess(Process process, Task output)
    {
        _process = process;
        _output = output;
    }

    public int Id => _process.Id;

    /// <summary>Starts one.</summary>
    /// <param name="spec">What to run.</param>
    /// <param name="readOutput">Reads its standard output to the end.</param>
    /// <param name="readError">Reads its standard error to the end.</param>
    public static ChildProcess Start(ChildSpec spec, Func<TextReader, Task> readOutput, Func<TextReader, Task> readError)
    {
        var start = new ProcessStartInfo(Program(spec.Assembly, out var assembly))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (assembly is not null)
            start.ArgumentList.Add(assembly);
        foreach (var argument in spec.Arguments)
            start.ArgumentList.Add(argument);

        var process = Process.Start(start)!;
        return new ChildProcess(process, Task.WhenAll(readOutput(process.StandardOutput), readError(process.StandardError)));
    }

    /// <summary>Waits until it has ended and its last line was read.</summary>
    /// <returns>The exit code; 128 + n when signal n ended it.</returns>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync();
        await _output;
        return _process.ExitCode;
    }

    /// <summary>Asks it to stop.</summary>
    public void RequestStop()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It is gone already.
        }
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    public void Dispose() => _process.Dispose();

    /// <summary>"exit code 1", "killed by SIGKILL".</summary>
    public static string DescribeExit(int exitCode) => exitCode switch
    {
        128 + 4 => "killed by SIGILL",
        128 + 6 => "killed by SIGABRT",
        128 + 7 => "killed by SIGBUS",
        128 + 9 => "killed by SIGKILL",
        128 + 11 => "killed by SIGSEGV",
        128 + 15 => "killed by SIGTERM",
        > 128 and <= 128 + 64 => $"killed by signal {exitCode - 128}",
        _ => $"exit code {exitCode}",
    };

    /// <summary>What to execute: the dotnet that runs this program, or the assembly's own executable where this program runs from its own (<c>cssl publish</c>).</summary>
    /// <param name="assembly">Its file name.</param>
    /// <param name="argument">The assembly's path, for dotnet; null for its own executable.</param>
    private static string Program(string assembly, out string? argument)
    {
        argument = Path.Combine(AppContext.BaseDirectory, assembly);
        var path = Environment.ProcessPath;
        if (path is not null && Path.GetFileNameWithoutExtension(path) == "dotnet")
            return path;

        var executable = Path.Combine(AppContext.BaseDirectory, Path.GetFileNameWithoutExtension(assembly));
        if (path is null || Path.GetDirectoryName(path) != Path.GetDirectoryName(executable) || !File.Exists(executable))
            return "dotnet";
        argument = null;
        return executable;
    }
}

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
