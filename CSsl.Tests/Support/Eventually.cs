using System.Diagnostics;

namespace CSsl.Tests.Support;

/// <summary>Waits for a state of another process that announces itself by no event: memory, a pid that is gone, a line of `status`.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>Completes once <paramref name="condition"/> holds.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">What is waited for, for the failure.</param>
    /// <param name="deadline">30 s when omitted.</param>
    /// <param name="interval">Between two looks; 50 ms when omitted.</param>
    /// <exception cref="TimeoutException">It did not hold in time.</exception>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? deadline = null, TimeSpan? interval = null)
    {
        TimeSpan limit = deadline ?? TimeSpan.FromSeconds(30);
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > limit)
                throw new TimeoutException($"not within {limit}: {what}");
#pragma warning disable RS0030 // The one place that looks again and again: there is no event to wait for.
            await Task.Delay(interval ?? Interval);
#pragma warning restore RS0030
        }
    }

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, string, TimeSpan?, TimeSpan?)"/>
    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? deadline = null, TimeSpan? interval = null)
        => TrueAsync(() => Task.FromResult(condition()), what, deadline, interval);
}
