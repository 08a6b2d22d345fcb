using System.ComponentModel;
using CSsl.Hosting;

namespace CSsl.Cli.Up;

/// <summary>Keeps one process of the cluster running: starts it, says how it ended, starts it again after a pause that doubles.</summary>
internal sealed class Supervisor(ChildSpec spec, PrefixedOutput output, bool restart, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    /// <summary>Who ran for so long begins with the first pause again.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    /// <summary>A process that ends so often before the cluster ever served won't get there.</summary>
    private const int AttemptsBeforeReady = 5;

    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<int> _failedAtStart = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private ChildProcess? _child;
    private Task _run = Task.CompletedTask;

    public ChildSpec Spec { get; } = spec;

    /// <summary>Completes with an exit code when there is no hope before <see cref="StartedWell"/>: a wrong configuration, a port in use, one end after the other.</summary>
    public Task<int> FailedAtStart => _failedAtStart.Task;

    /// <summary>From now on an exit is an accident to recover from, not a reason to give up.</summary>
    public bool StartedWell { get; set; }

    /// <summary>Completes when the process has ended for good.</summary>
    public Task Completion => _run;

    /// <summary>Its process id; null between one run and the next.</summary>
    public int? ProcessId
    {
        get
        {
            lock (_lock)
                return _child?.Id;
        }
    }

    /// <summary>Starts the process and goes on looking after it.</summary>
    /// <param name="readOutput">Reads its standard output; by default its lines go to the common output.</param>
    public void Start(Func<TextReader, Task>? readOutput = null) => _run = RunAsync(readOutput ?? CopyAsync);

    /// <summary>Asks the process to stop, waits, and kills it when it takes too long.</summary>
    public async Task StopAsync(TimeSpan patience, CancellationToken impatience)
    {
        ChildProcess? child;
        lock (_lock)
        {
            _stopping.Cancel();
            child = _child;
        }

        child?.RequestStop();
        try
        {
            await _run.WaitAsync(patience, time, impatience);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            if (e is TimeoutException)
                output.Line(PrefixedOutput.Self, $"{Spec.Name} did not stop within {patience.TotalSeconds:0} s: killing it");
            Kill();
            await _run;
        }
    }

    public void Dispose() => _stopping.Dispose();

    private async Task RunAsync(Func<TextReader, Task> readOutput)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            var startedAt = time.GetTimestamp();
            var (what, exitCode) = await RunOnceAsync(readOutput);
            if (_stopping.IsCancellationRequested)
                return;

            // While the cluster starts, a process gets its chances whatever is said about restarts: none of them has served yet.
            var isHopeless = !StartedWell && (exitCode is ExitCodes.BadConfiguration or ExitCodes.InUse || attempt >= AttemptsBeforeReady);
            var isLeft = isHopeless || (StartedWell && !restart);
            if (time.GetElapsedTime(startedAt) > Settled)
                pause = FirstPause;
            var next = isLeft ? "" : $", starting it again in {pause.TotalSeconds:0.##} s";
            output.Line(PrefixedOutput.Self, $"{what}{next}");
            if (isHopeless)
                _failedAtStart.TrySetResult(exitCode is ExitCodes.BadConfiguration or ExitCodes.InUse ? exitCode : ExitCodes.Failure);
            if (isLeft)
                return;

            await Task.Delay(pause, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Runs the process to its end, however that comes.</summary>
    /// <returns>What there is to tell, and its exit code; that of a failure when it could not even be started (no file, no memory, no process left to the user).</returns>
    private async Task<(string What, int ExitCode)> RunOnceAsync(Func<TextReader, Task> readOutput)
    {
        ChildProcess? child;
        try
        {
            child = StartChild(readOutput);
        }
        catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            return ($"{Spec.Name} can't be started: {e.Message}", ExitCodes.Failure);
        }

        if (child is null)
            return ("", ExitCodes.Success); // It is not to run any more.
        var exitCode = await child.ExitAsync();
        lock (_lock)
            _child = null;
        var pid = child.Id;
        child.Dispose();
        return ($"{Spec.Name} (pid {pid}) ended: {ChildProcess.DescribeExit(exitCode)}", exitCode);
    }

    private ChildProcess? StartChild(Func<TextReader, Task> readOutput)
    {
        lock (_lock)
        {
            if (_stopping.IsCancellationRequested)
                return null;
            return _child = ChildProcess.Start(Spec, readOutput, CopyAsync);
        }
    }

    private void Kill()
    {
        lock (_lock)
            _child?.Kill();
    }

    private Task CopyAsync(TextReader reader) => output.CopyAsync(Spec.Name, reader);
}
