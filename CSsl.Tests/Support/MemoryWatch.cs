namespace CSsl.Tests.Support;

/// <summary>Samples the resident memory of processes until it is disposed of, and keeps each one's peak.</summary>
internal sealed class MemoryWatch : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<int, (long Start, long Peak)> _bytes;
    private readonly Task _sampling;

    public MemoryWatch(IEnumerable<int> processIds)
    {
        _bytes = processIds.ToDictionary(id => id, id => (ProcFs.ResidentBytes(id), ProcFs.ResidentBytes(id)));
        _sampling = SampleAsync();
    }

    /// <summary>How much each process grew at most, in bytes.</summary>
    public async Task<IReadOnlyDictionary<int, long>> PeakGrowthAsync()
    {
        await _stop.CancelAsync();
        await _sampling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _bytes.ToDictionary(entry => entry.Key, entry => entry.Value.Peak - entry.Value.Start);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await PeakGrowthAsync();
        _stop.Dispose();
    }

    private async Task SampleAsync()
    {
        while (true)
        {
            foreach (int id in _bytes.Keys.ToArray())
                _bytes[id] = (_bytes[id].Start, Math.Max(_bytes[id].Peak, ProcFs.ResidentBytes(id)));
#pragma warning disable RS0030 // It measures by the clock.
            await Task.Delay(Interval, _stop.Token);
#pragma warning restore RS0030
        }
    }
}
