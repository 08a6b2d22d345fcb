using System.Text;
using CSsl.Hosting;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Hosting;

/// <summary>The log, when standard output takes nothing.</summary>
public sealed class ConsoleLogTests
{
    [Fact]
    public void Lines_are_written_in_order_and_those_that_are_left_at_the_end_too()
    {
        using var output = new HeldStream { IsHeld = false };
        using (var log = new ConsoleLog(new LineFormatter(new FakeTimeProvider()), output))
        {
            var logger = log.CreateLogger("CSsl.X");
            for (var i = 0; i < 100; i++)
                logger.LogInformation("line {Number}", i);
        }

        Assert.Equal(Enumerable.Range(0, 100).Select(static i => $"00:00:00.000 info CSsl.X: line {i}"), output.Lines);
    }

    [Fact]
    public async Task Who_logs_goes_on_while_nobody_reads_and_what_was_dropped_is_counted_and_told_once()
    {
        using var output = new HeldStream { IsHeld = true };
        using var log = new ConsoleLog(new LineFormatter(new FakeTimeProvider()), output);
        var logger = log.CreateLogger("CSsl.X");
        logger.LogInformation("first");
        await output.Entered.Task.WaitAsync(TimeSpan.FromSeconds(20));

        for (var i = 0; i < ConsoleLog.MaxLines + 500; i++)
            logger.LogInformation("line {Number}", i);

        Assert.Equal(500, log.Dropped);
        output.Release();
        await Eventually.TrueAsync(() => output.Lines.Any(static line => line.Contains("not written", StringComparison.Ordinal)), "it is told");
        Assert.Equal("00:00:00.000 warn CSsl.Hosting.ConsoleLog: 500 lines were not written: standard output did not take them", output.Lines[^1]);
        Assert.Equal(ConsoleLog.MaxLines + 2, output.Lines.Length);

        logger.LogInformation("again");
        await Eventually.TrueAsync(() => output.Lines[^1].EndsWith("again", StringComparison.Ordinal), "the log goes on");
    }

    [Fact]
    public async Task End_of_the_process_does_not_wait_for_a_reader_that_never_comes()
    {
        using var output = new HeldStream { IsHeld = true };
        var log = new ConsoleLog(new LineFormatter(new FakeTimeProvider()), output);
        log.CreateLogger("CSsl.X").LogInformation("first");

        log.Dispose();
        log.CreateLogger("CSsl.X").LogInformation("too late");

        Assert.Equal(1, log.Dropped);
        output.Release();
        await Eventually.TrueAsync(() => output.Lines.Length == 1, "what waited is written");
    }

    /// <summary>A pipe that nobody reads, until it is released.</summary>
    private sealed class HeldStream : MemoryStream
    {
        private readonly ManualResetEventSlim _gate = new();
        private readonly Lock _lock = new();

        public bool IsHeld
        {
            init
            {
                if (!value)
                    _gate.Set();
            }
        }

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string[] Lines
        {
            get
            {
                lock (_lock)
                    return Encoding.UTF8.GetString(ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            }
        }

        public void Release() => _gate.Set();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Entered.TrySetResult();
            _gate.Wait();
            lock (_lock)
                base.Write(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            _gate.Set();
            base.Dispose(disposing);
        }
    }
}
