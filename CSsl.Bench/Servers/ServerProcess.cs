using System.Diagnostics;
using System.Runtime.InteropServices;

namespace CSsl.Bench.Servers;

/// <summary>A server that this program runs: its output is kept for when it fails, SIGTERM ends it.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private string? _awaitedPrefix;
    private TaskCompletionSource<string> _awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    /// <summary>Starts a program and, unless <paramref name="readyPrefix"/> is null, waits for a line that begins so.</summary>
    /// <returns>The process and the rest of that line.</returns>
    /// <exception cref="BenchException">It ended, or was not ready in time.</exception>
    public static async Task<(ServerProcess Process, string Ready)> StartAsync(string program, IEnumerable<string> arguments, string? readyPrefix, TimeSpan? deadline = null)
    {
        var process = new Process { StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true } };
        var server = new ServerProcess(process) { _awaitedPrefix = readyPrefix };
        process.OutputDataReceived += (_, line) => server.Take(line.Data);
        process.ErrorDataReceived += (_, line) => server.Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (readyPrefix is null)
            return (server, "");

        try
        {
            Task<string> ready = server._awaited.Task;
            if (await Task.WhenAny(ready, process.WaitForExitAsync()).WaitAsync(deadline ?? StartDeadline) == ready)
                return (server, (await ready)[readyPrefix.Length..].Trim());
            throw new BenchException($"{program} {string.Join(' ', arguments)} ended with exit code {process.ExitCode}:\n{server.Tail()}");
        }
        catch (TimeoutException)
        {
            await server.DisposeAsync();
            throw new BenchException($"{program} {string.Join(' ', arguments)} was not ready within {deadline ?? StartDeadline}:\n{server.Tail()}");
        }
    }

    /// <summary>The last lines of its output.</summary>
    public string Tail()
    {
        lock (_gate)
            return string.Join('\n', _lines.TakeLast(20));
    }

    /// <summary>Writes a line to its standard input and waits for one that begins so.</summary>
    /// <returns>The rest of that line.</returns>
    public async Task<string> AskAsync(string line, string prefix)
    {
        Task<string> answer;
        lock (_gate)
        {
            (_awaitedPrefix, _awaited) = (prefix, new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
            answer = _awaited.Task;
        }

        await _process.StandardInput.WriteLineAsync(line);
        return (await answer.WaitAsync(StartDeadline))[prefix.Length..];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited && Kill(_process.Id, SigTerm) == 0)
        {
            using var limit = new CancellationTokenSource(StopDeadline);
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited)
                _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        lock (_gate)
        {
            _lines.Add(line);
            if (_awaitedPrefix is not null && line.StartsWith(_awaitedPrefix, StringComparison.Ordinal))
                _awaited.TrySetResult(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
