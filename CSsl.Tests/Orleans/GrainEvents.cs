using System.Collections.Concurrent;
using CSsl.Tests.Support;

namespace CSsl.Tests.Orleans;

/// <summary>What the test grains of all silos of one test did, and gates at which they wait.</summary>
public sealed class GrainEvents
{
    private readonly ConcurrentQueue<string> _events = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();

    public void Add(string text) => _events.Enqueue(text);

    public IReadOnlyList<string> All => [.. _events];

    public Task Gate(string name) => _gates.GetOrAdd(name, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Open(string name) => _gates.GetOrAdd(name, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    public Task Until(string text) => Eventually.TrueAsync(() => All.Contains(text), $"'{text}'");
}
