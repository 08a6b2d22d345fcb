using System.Diagnostics.Metrics;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace CSsl.Hosting;

/// <summary>
/// The log on standard output. Whoever logs never waits: lines go through a bounded queue to a thread that writes them, and what finds the queue full, because nobody
/// reads the other end of a pipe, is dropped and counted. .NET's own console logger can drop, but not say how much in the metrics.
/// </summary>
[ProviderAlias("Console")]
internal sealed class ConsoleLog : ILoggerProvider
{
    /// <summary>Lines that may wait.</summary>
    internal const int MaxLines = 4096;

    /// <summary>How long the end of the process waits for the lines that are left.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    // Of the process, which has one standard output, and in `cssl serve` two hosts that write to it.
    private static readonly Meter Meter = new("CSsl.Log");
    private static long s_dropped;

    private readonly ConsoleFormatter _formatter;
    private readonly Stream _output;
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxLines) { SingleReader = true });
    private readonly Thread _writer;
    private long _dropped;

    /// <param name="formatter">Makes a line of an entry.</param>
    /// <param name="output">Where they go; stays the caller's.</param>
    public ConsoleLog(ConsoleFormatter formatter, Stream output)
    {
        (_formatter, _output) = (formatter, output);
        _writer = new Thread(Write) { IsBackground = true, Name = "log" };
        _writer.Start();
    }

    static ConsoleLog()
        => Meter.CreateObservableCounter("cssl.log.dropped", static () => Volatile.Read(ref s_dropped), "{line}", "Lines of the log that were not written because standard output did not take them");

    /// <summary>Lines that were dropped so far.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        _writer.Join(Patience);
    }

    private void Add(string line)
    {
        if (!_lines.Writer.TryWrite(line))
            CountDropped();
    }

    private void CountDropped()
    {
        Interlocked.Increment(ref _dropped);
        Interlocked.Increment(ref s_dropped);
    }

    // On a thread of its own: it may be in a write for as long as the process lives.
    private void Write()
    {
        var text = new StringBuilder();
        long told = 0;
        while (_lines.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (text.Length < 16 * 1024 && _lines.Reader.TryRead(out var line))
                text.Append(line);

            // The queue is empty again: it takes what comes.
            if (Dropped is var dropped && dropped != told && !_lines.Reader.TryPeek(out _))
            {
                text.Append(Format(new LogEntry<long>(LogLevel.Warning, typeof(ConsoleLog).FullName!, default, dropped - told, null,
                    static (lines, _) => $"{lines} lines were not written: standard output did not take them")));
                told = dropped;
            }

            try
            {
                _output.Write(Encoding.UTF8.GetBytes(text.ToString()));
                _output.Flush();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The reader is gone for good, or standard output closed. There is nobody to tell.
                CountDropped();
            }

            text.Clear();
        }
    }

    private string Format<TState>(in LogEntry<TState> entry)
    {
        using var line = new StringWriter();
        _formatter.Write(entry, scopeProvider: null, line);
        return line.ToString();
    }

    private sealed class Logger(ConsoleLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (log.Format(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter)) is { Length: > 0 } line)
                log.Add(line);
        }
    }
}
