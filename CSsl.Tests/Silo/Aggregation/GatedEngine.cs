using System.Collections.Concurrent;
using CSsl.Tls.Engines;

namespace CSsl.Tests.Silo.Aggregation;

/// <summary>The managed engine, with a gate before it, a count of what was asked of it, and faults on demand.</summary>
internal sealed class GatedEngine : IRecordEngine
{
    private readonly ManualResetEventSlim _gate = new(initialState: true);
    private readonly SemaphoreSlim _entered = new(0);
    private int _inside;

    public string Name => "gated";

    public int Lanes { get; init; } = 1;

    /// <summary>Records of each call, in order.</summary>
    public ConcurrentQueue<int> Calls { get; } = new();

    /// <summary>Two calls overlapped.</summary>
    public bool Overlapped { get; private set; }

    /// <summary>Records of these keys are not sealed or opened, and the call fails.</summary>
    public Func<RecordKey, bool> Fails { get; set; } = static _ => false;

    public void Shut() => _gate.Reset();

    public void Open() => _gate.Set();

    /// <summary>Somebody is in a call, or waits at the gate.</summary>
    public async Task EnteredAsync() => Xunit.Assert.True(await _entered.WaitAsync(TestSilo.Patience));

    public RecordKey CreateKey(in RecordKeyMaterial material) => ManagedEngine.Instance.CreateKey(material);

    public void Run(Span<RecordJob> jobs)
    {
        Overlapped |= Interlocked.Increment(ref _inside) != 1;
        _entered.Release();
        _gate.Wait(TestSilo.Patience);
        Calls.Enqueue(jobs.Length);
        var failed = false;
        for (var i = 0; i < jobs.Length; i++)
        {
            if (jobs[i].RecordKey is { } key && Fails(key))
                failed = true;
            else
                ManagedEngine.Instance.Run(jobs.Slice(i, 1));
        }

        Interlocked.Decrement(ref _inside);
        if (failed)
            throw new RecordEngineException("as the test wants it");
    }

    public void Dispose() => _gate.Dispose();
}
