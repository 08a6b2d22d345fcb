using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace CSsl.Tests.Support;

/// <summary>A log that a test reads.</summary>
internal sealed class RecordingLogger<T> : ILogger<T>
{
    private readonly ConcurrentQueue<(LogLevel Level, string Message)> _lines = new();

    public IReadOnlyList<(LogLevel Level, string Message)> Lines => [.. _lines];

    private event Action<string>? Logged;

    /// <summary>Completes once there is a line with <paramref name="part"/> in it.</summary>
    public async Task LineAsync(string part)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(string message)
        {
            if (message.Contains(part, StringComparison.Ordinal))
                seen.TrySetResult();
        }

        Logged += Look;
        foreach (var (_, message) in _lines)
            Look(message);
        await seen.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Logged -= Look;
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var message = formatter(state, exception);
        _lines.Enqueue((logLevel, message));
        Logged?.Invoke(message);
    }
}
