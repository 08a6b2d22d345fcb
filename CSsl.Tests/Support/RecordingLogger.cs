using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace CSsl.Tests.Support;

/// <summary>A log that a test reads.</summary>
internal sealed class RecordingLogger<T> : ILogger<T>
{
    private readonly ConcurrentQueue<(LogLevel Level, string Message)> _lines = new();

    public IReadOnlyList<(LogLevel Level, string Message)> Lines => [.. _lines];

    private event Action? Logged;

    /// <summary>Completes once there are so many lines with <paramref name="part"/> in them.</summary>
    public async Task LineAsync(string part, int times = 1)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look()
        {
            if (_lines.Count(line => line.Message.Contains(part, StringComparison.Ordinal)) >= times)
                seen.TrySetResult();
        }

        Logged += Look;
        Look();
        await seen.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Logged -= Look;
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
        => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue((logLevel, formatter(state, exception)));
        Logged?.Invoke();
    }
}
