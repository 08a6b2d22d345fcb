using Orleans.Runtime;

namespace CSsl.Tests.Support;

/// <summary>A grain's state in memory, whose writes a test can watch and let fail.</summary>
internal sealed class FakeState<T> : IPersistentState<T>
    where T : new()
{
    private T _stored = new();

    public T State { get; set; } = new();

    public string? Etag { get; private set; }

    public bool RecordExists { get; private set; }

    /// <summary>Writes that succeeded.</summary>
    public int Writes { get; private set; }

    /// <summary>When set, writes and clears fail with it.</summary>
    public Exception? Failure { get; set; }

    public Task ReadStateAsync()
    {
        State = _stored;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync() => Store(State, exists: true);

    public Task ClearStateAsync() => Store(State = new T(), exists: false);

    private Task Store(T state, bool exists)
    {
        if (Failure is { } failure)
            return Task.FromException(failure);
        (_stored, RecordExists, Etag) = (state, exists, $"{++Writes}");
        return Task.CompletedTask;
    }
}
