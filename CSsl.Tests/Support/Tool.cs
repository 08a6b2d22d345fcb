using System.Diagnostics;
using System.Text;

namespace CSsl.Tests.Support;

/// <summary>What a program answered.</summary>
/// <param name="Command">The command line, for messages.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Standard output, byte for byte as Latin-1 (empty when a sink took it).</param>
/// <param name="Error">Standard error.</param>
public sealed record ToolResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>This result, if the program succeeded.</summary>
    public ToolResult Succeeded() => ExitCode == 0 ? this : throw new InvalidOperationException(ToString());

    /// <inheritdoc/>
    public override string ToString() => $"{Command}\nexit code {ExitCode}\n{Output}\n{Error}";
}

/// <summary>A real client (curl, openssl, node …) at work: its input, what it writes, and a deadline after which it is killed.</summary>
public sealed class Tool : IAsyncDisposable
{
    /// <summary>Long enough for a busy machine, short enough to end a hung test.</summary>
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(60);

    private static readonly Dictionary<string, string> Packages = new()
    {
        ["curl"] = "curl",
        ["openssl"] = "openssl",
        ["gnutls-cli"] = "gnutls-bin",
        ["node"] = "nodejs",
        ["java"] = "default-jdk-headless",
        ["h2load"] = "nghttp2-client",
    };

    private readonly Process _process;
    private readonly string _command;
    private readonly CancellationTokenSource _deadline;
    private readonly Task _reading;

    private Tool(Process process, string command, Func<Stream, CancellationToken, Task>? sink, TimeSpan deadline, bool mergeError)
    {
        _process = process;
        _command = command;
        Error = mergeError ? Output : new Transcript();
        _deadline = new CancellationTokenSource(deadline);
        _reading = Task.WhenAll(
            sink is null ? CopyAsync(process.StandardOutput.BaseStream, Output) : DrainAsync(sink),
            CopyAsync(process.StandardError.BaseStream, Error));
    }

    /// <summary>Standard output so far.</summary>
    public Transcript Output { get; } = new();

    /// <summary>Standard error so far.</summary>
    public Transcript Error { get; }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Standard input; closing it is the end of file.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>Starts a program.</summary>
    /// <param name="program">A name on the PATH.</param>
    /// <param name="arguments">Given as they are, no shell.</param>
    /// <param name="sink">Reads standard output to its end, instead of <see cref="Output"/>.</param>
    /// <param name="deadline">It is killed after this; <see cref="DefaultDeadline"/> when omitted.</param>
    /// <param name="environment">Added to this process's.</param>
    /// <param name="mergeError">Standard error goes where standard output goes.</param>
    public static Tool Start(
        string program,
        IEnumerable<string> arguments,
        Func<Stream, CancellationToken, Task>? sink = null,
        TimeSpan? deadline = null,
        IReadOnlyDictionary<string, string>? environment = null,
        bool mergeError = false)
    {
        var start = new ProcessStartInfo(Find(program), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        string command = $"{program} {string.Join(' ', start.ArgumentList)}";
        return new Tool(Process.Start(start)!, command, sink, deadline ?? DefaultDeadline, mergeError);
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">A name on the PATH.</param>
    /// <param name="arguments">Given as they are, no shell.</param>
    /// <param name="input">What it reads; empty when omitted.</param>
    /// <param name="sink">Reads standard output to its end, instead of <see cref="ToolResult.Output"/>.</param>
    /// <param name="deadline">It is killed after this; <see cref="DefaultDeadline"/> when omitted.</param>
    public static async Task<ToolResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        string input = "",
        Func<Stream, CancellationToken, Task>? sink = null,
        TimeSpan? deadline = null)
    {
        await using Tool tool = Start(program, arguments, sink, deadline);
        await tool.TypeAsync(input);
        tool.CloseInput();
        return await tool.ExitAsync();
    }

    /// <summary>Writes to its standard input, if it still reads.</summary>
    public async Task TypeAsync(string text)
    {
        try
        {
            await Input.WriteAsync(Encoding.Latin1.GetBytes(text), _deadline.Token);
            await Input.FlushAsync(_deadline.Token);
        }
        catch (IOException)
        {
            // It ends without reading, and may not have exited yet: its exit code and output tell why.
        }
    }

    /// <summary>End of its input.</summary>
    public void CloseInput()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // As above: it was the first to close.
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <exception cref="TimeoutException">It was still running at the deadline.</exception>
    public async Task<ToolResult> ExitAsync()
    {
        try
        {
            await _process.WaitForExitAsync(_deadline.Token);
            await _reading.WaitAsync(_deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_command}\nwas still running at its deadline; it had written\n{Output.Tail()}\n{Error.Tail()}");
        }

        return new ToolResult(_command, _process.ExitCode, Output.Text(), Error.Text());
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process.Dispose();
        _deadline.Dispose();
    }

    /// <summary>The program's path.</summary>
    /// <exception cref="FileNotFoundException">It is not installed; says which package has it.</exception>
    private static string Find(string program)
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            string path = Path.Combine(folder, program);
            if (File.Exists(path))
                return path;
        }

        throw new FileNotFoundException($"{program} is not on the PATH: install {Packages.GetValueOrDefault(program, program)} (./cssl test does)");
    }

    private async Task DrainAsync(Func<Stream, CancellationToken, Task> sink)
    {
        await sink(_process.StandardOutput.BaseStream, _deadline.Token);
        Output.End();
    }

    private static async Task CopyAsync(Stream source, Transcript transcript)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            for (int read; (read = await source.ReadAsync(buffer)) > 0;)
                transcript.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        finally
        {
            transcript.End();
        }
    }
}
