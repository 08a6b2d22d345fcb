using CSsl.Link;
using CSsl.Tls.Engines;

namespace CSsl.Tests.Link;

/// <summary>Runs batches with the managed engine: at once, or when the test says so.</summary>
internal sealed class TestRunner : IRecordRunner, IDisposable
{
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Queue<RecordBatch> _held = new();

    /// <summary>Batches wait for <see cref="ReleaseAsync"/>.</summary>
    public bool Holds { get; set; }

    /// <summary>Records of each batch.</summary>
    public List<int> Batches { get; } = [];

    /// <summary>Jobs that stay as they are, as if the engine had failed.</summary>
    public Func<RecordKey, bool> Fails { get; set; } = static _ => false;

    public bool TryRun(RecordBatch batch)
    {
        lock (_held)
        {
            Batches.Add(batch.Count);
            if (Holds)
            {
                _held.Enqueue(batch);
                _arrived.Release();
                return false;
            }
        }

        Run(batch);
        return true;
    }

    /// <summary>Waits until a batch is held, runs it and says so.</summary>
    public async Task ReleaseAsync(bool hold = false)
    {
        await ArrivedAsync();
        RecordBatch batch;
        lock (_held)
        {
            Holds = hold;
            batch = _held.Dequeue();
        }

        Run(batch);
        batch.OnRun();
    }

    public void Dispose() => _arrived.Dispose();

    private async Task ArrivedAsync() => Xunit.Assert.True(await _arrived.WaitAsync(TestLinks.Patience));

    private void Run(RecordBatch batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            if (batch.Jobs[i].RecordKey is { } key && !Fails(key))
                ManagedEngine.Instance.Run(batch.Jobs.Slice(i, 1));
        }
    }
}
