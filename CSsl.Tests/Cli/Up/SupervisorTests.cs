using System.Text.RegularExpressions;
using System.Threading.Channels;
using CSsl.Cli.Up;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Cli.Up;

/// <summary>The supervisor with a real child: the sample origin.</summary>
public sealed partial class SupervisorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly StringWriter _log = new();
    private readonly WatchedTimeProvider _time = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task A_child_that_was_killed_is_started_again_after_the_pause()
    {
        using var supervisor = Supervise(restart: true, "origin", "--port", "0", "--WatchParent=true");
        supervisor.StartedWell = true;
        var starts = new Starts();
        supervisor.Start(starts.ReadAsync);
        await starts.NextAsync();
        var pid = supervisor.ProcessId!.Value;

        ProcFs.Signal(pid, ProcFs.SigKill);
        await _time.TimerArmedAsync();
        Assert.Contains($"origin (pid {pid}) ended: killed by SIGKILL, starting it again in 0.25 s", _log.ToString(), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await starts.NextAsync();

        var second = supervisor.ProcessId!.Value;
        Assert.NotEqual(pid, second);
        await supervisor.StopAsync(Patience, CancellationToken.None);
        Assert.False(ProcFs.IsAlive(second));
        Assert.False(supervisor.FailedAtStart.IsCompleted);
    }

    [Fact]
    public async Task A_child_with_a_wrong_configuration_is_given_up()
    {
        using var supervisor = Supervise(restart: true, "origin", "--port", "0", "--Limts:X=1");
        supervisor.Start();
        Assert.Equal(2, await supervisor.FailedAtStart.WaitAsync(Patience));
        Assert.Contains("did you mean 'Limits'?", _log.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("again", _log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_that_cannot_be_started_is_told_and_tried_again_and_given_up_before_the_cluster_serves()
    {
        // Longer than the kernel takes (execve(2), E2BIG): Process.Start throws.
        using var supervisor = Supervise(restart: true, new string('x', 4 << 20));
        supervisor.Start();
        foreach (var pause in new[] { 0.25, 0.5, 1, 2 })
        {
            await _time.TimerArmedAsync();
            Assert.Contains(FormattableString.Invariant($", starting it again in {pause} s"), _log.ToString(), StringComparison.Ordinal);
            _time.Advance(TimeSpan.FromSeconds(pause));
        }

        Assert.Equal(1, await supervisor.FailedAtStart.WaitAsync(Patience));
        await supervisor.Completion.WaitAsync(Patience);
        Assert.Contains("origin can't be started: ", _log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_restart_the_end_is_only_told()
    {
        using var supervisor = Supervise(restart: false, "--version");
        supervisor.StartedWell = true;
        supervisor.Start();
        await supervisor.Completion.WaitAsync(Patience);
        Assert.Matches(ToldOnce(), _log.ToString());
    }

    [Fact]
    public async Task A_child_that_does_not_stop_is_killed()
    {
        // It does not read its standard input: `WatchParent` is not set.
        using var supervisor = Supervise(restart: true, "origin", "--port", "0");
        var starts = new Starts();
        supervisor.Start(starts.ReadAsync);
        await starts.NextAsync();
        var pid = supervisor.ProcessId!.Value;

        var stopping = supervisor.StopAsync(Patience, CancellationToken.None);
        _time.Advance(Patience);
        await stopping;
        Assert.False(ProcFs.IsAlive(pid));
        Assert.Contains("origin did not stop within 30 s: killing it", _log.ToString(), StringComparison.Ordinal);
    }

    private Supervisor Supervise(bool restart, params string[] arguments)
        => new(new ChildSpec("origin", "CSsl.Cli.dll", StopStage.Origin, arguments), new PrefixedOutput(_log, colours: false), restart, _time);

    [GeneratedRegex(@"^cssl +\| origin \(pid \d+\) ended: exit code 0\n$", RegexOptions.Multiline)]
    private static partial Regex ToldOnce();

    /// <summary>Sees each start of the origin by the line that it writes.</summary>
    private sealed class Starts
    {
        private readonly Channel<string> _seen = Channel.CreateUnbounded<string>();

        public async Task ReadAsync(TextReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("listening ", StringComparison.Ordinal))
                    _seen.Writer.TryWrite(line);
            }
        }

        public async Task NextAsync() => await _seen.Reader.ReadAsync().AsTask().WaitAsync(Patience);
    }
}
