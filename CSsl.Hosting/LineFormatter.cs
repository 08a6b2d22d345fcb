using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace CSsl.Hosting;

/// <summary>One line per log entry: <c>12:00:01.123 info CSsl.Gateway.Acceptor: message</c>; the stack trace of an error follows, indented.</summary>
internal sealed class LineFormatter(TimeProvider? time = null) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "cssl";

    // The host logs with a stack trace what it then throws from RunAsync; CsslHost reports it once, readably.
    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";
    private const int StartupFailed = 11;

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (logEntry.EventId.Id == StartupFailed && logEntry.Category == HostCategory)
            return;

        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write($"{_time.GetLocalNow():HH:mm:ss.fff} {Level(logEntry.LogLevel)} {logEntry.Category}: {OneLine(message)}");
        if (logEntry.Exception is { } exception)
        {
            if (logEntry.LogLevel >= LogLevel.Error)
                textWriter.Write("\n    " + exception.ToString().ReplaceLineEndings("\n    "));
            else
                textWriter.Write($" ({exception.GetType().Name}: {OneLine(exception.Message)})");
        }

        textWriter.Write('\n');
    }

    // What a client sends may end up in a message: it must not be able to write a line of its own, or move the terminal's cursor.
    private static string OneLine(string text)
        => text.AsSpan().ContainsAnyInRange('\0', '\x1f') || text.Contains('\x7f')
            ? string.Create(text.Length, text, static (target, source) =>
            {
                for (var i = 0; i < source.Length; i++)
                    target[i] = char.IsControl(source[i]) ? ' ' : source[i];
            })
            : text;

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}

/// <summary>Sets up the log of a C-SSL process.</summary>
internal static class LineFormatterExtensions
{
    /// <summary>Logs to the console, one line per entry; the frameworks only from warnings up, unless <c>Logging</c> says otherwise.</summary>
    public static ILoggingBuilder AddCsslConsole(this ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System.Net.Http", LogLevel.Warning);
        logging.AddFilter("Yarp", LogLevel.Warning);
        logging.AddConfiguration(configuration.GetSection("Logging"));
        logging.Services.AddSingleton<ILoggerProvider>(static _ => new ConsoleLog(new LineFormatter(), Console.OpenStandardOutput()));
        return logging;
    }
}
