using System.Threading.Channels;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Handshake;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Silo.Handshake;

public sealed class ResumptionStoreTests : IAsyncLifetime, IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestMeters _meters = new();
    private readonly ResumptionOptions _options = new() { WritesPerSecond = 100_000 };
    private readonly ScriptedSessions _sessions = new();
    private readonly ResumptionStore _store;
    private readonly CounterValue _dropped;

    public ResumptionStoreTests()
    {
        _store = new ResumptionStore(FakeGrains.Of(_sessions.Grain), Options.Create(_options), new ResumptionMetrics(_meters), _time, NullLogger<ResumptionStore>.Instance);
        _dropped = new CounterValue(_meters, "cssl.resumption.drops");
    }

    public async ValueTask InitializeAsync() => await _store.StartAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        _sessions.Gate.TrySetResult();
        await _store.StopAsync(CancellationToken.None);
    }

    public void Dispose()
    {
        _store.Dispose();
        _dropped.Dispose();
        _meters.Dispose();
    }

    [Fact]
    public async Task What_was_stored_is_found_and_what_was_removed_is_not()
    {
        _sessions.Gate.SetResult();
        var id = NewId(1);
        _store.Store(new ResumptionRecord { Id = id, Sealed = new byte[] { 7 } });
        await _sessions.WrittenAsync(1);
        Assert.Equal([7], (await _store.FindAsync(id)).ToArray());

        _store.Remove(id);
        await _sessions.WrittenAsync(2);
        Assert.True((await _store.FindAsync(id)).IsEmpty);
    }

    [Fact]
    public async Task Store_and_remove_of_one_session_happen_in_order_and_nobody_waits()
    {
        var id = NewId(1);
        _store.Store(new ResumptionRecord { Id = id, Sealed = new byte[] { 7 } });
        _store.Remove(id);
        _sessions.Gate.SetResult();
        await _sessions.WrittenAsync(2);
        Assert.True((await _store.FindAsync(id)).IsEmpty);
    }

    [Fact]
    public async Task Lookup_ends_at_its_deadline_and_for_a_second_none_is_made()
    {
        var lookup = _store.FindAsync(NewId(1)).AsTask();
        Assert.False(lookup.IsCompleted);
        _time.Advance(_options.LookupTime);
        Assert.True((await lookup).IsEmpty);

        Assert.True((await _store.FindAsync(NewId(2))).IsEmpty);
        Assert.Equal(1, _sessions.Lookups);

        _time.Advance(TimeSpan.FromSeconds(1));
        _sessions.Gate.SetResult();
        Assert.True((await _store.FindAsync(NewId(3))).IsEmpty);
        Assert.Equal(2, _sessions.Lookups);
    }

    [Fact]
    public async Task Trouble_with_the_cluster_is_no_session_and_goes_by()
    {
        _sessions.Gate.SetResult();
        _sessions.Failure = new TimeoutException("no database");
        var id = NewId(1);
        Assert.True((await _store.FindAsync(id)).IsEmpty);
        _store.Store(new ResumptionRecord { Id = id, Sealed = new byte[] { 7 } });
        await _sessions.WrittenAsync(1);

        _sessions.Failure = null;
        _time.Advance(TimeSpan.FromSeconds(1));
        _store.Store(new ResumptionRecord { Id = id, Sealed = new byte[] { 8 } });
        await _sessions.WrittenAsync(2);
        Assert.Equal([8], (await _store.FindAsync(id)).ToArray());
    }

    [Fact]
    public async Task Sessions_are_not_stored_for_a_second_after_one_could_not_be()
    {
        _sessions.Gate.SetResult();
        _sessions.Failure = new TimeoutException("no database");
        _store.Store(new ResumptionRecord { Id = NewId(0), Sealed = new byte[] { 1 } });
        await _sessions.WrittenAsync(1);
        _sessions.Failure = null;
        await Eventually.TrueAsync(() => _dropped.Value == 1, "the write to be counted as dropped");
        _store.Store(new ResumptionRecord { Id = NewId(0), Sealed = new byte[] { 2 } });
        await Eventually.TrueAsync(() => _dropped.Value == 2, "the next one to be dropped");

        _time.Advance(TimeSpan.FromSeconds(1));
        _store.Store(new ResumptionRecord { Id = NewId(0), Sealed = new byte[] { 3 } });
        await _sessions.WrittenAsync(2);
        Assert.Equal(2, _sessions.Writes);
    }

    [Fact]
    public async Task Writes_that_wait_are_bounded()
    {
        // One is with the writer, which hangs.
        _store.Store(new ResumptionRecord { Id = NewId(0), Sealed = new byte[] { 7 } });
        await _sessions.BegunAsync(1);
        for (var i = 0; i < 3 * ResumptionStore.QueueLength; i++)
            _store.Store(new ResumptionRecord { Id = NewId(0), Sealed = new byte[] { 7 } });

        _sessions.Gate.SetResult();
        await _sessions.WrittenAsync(1 + ResumptionStore.QueueLength);

        // What comes now is next: nothing else was kept.
        _store.Remove(NewId(0));
        await _sessions.WrittenAsync(2 + ResumptionStore.QueueLength);
        Assert.Equal(2 + ResumptionStore.QueueLength, _sessions.Writes);
    }

    [Fact]
    public async Task Writes_of_a_second_are_bounded()
    {
        _sessions.Gate.SetResult();
        using var store = new ResumptionStore(FakeGrains.Of(_sessions.Grain), Options.Create(new ResumptionOptions { WritesPerSecond = 3 }), new ResumptionMetrics(_meters), _time, NullLogger<ResumptionStore>.Instance);
        await store.StartAsync(CancellationToken.None);
        for (var i = 0; i < 10; i++)
            store.Store(new ResumptionRecord { Id = NewId(0), Sealed = new byte[] { 7 } });
        Assert.Equal(7, _dropped.Value);

        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 10; i++)
            store.Store(new ResumptionRecord { Id = NewId(0), Sealed = new byte[] { 7 } });
        Assert.Equal(14, _dropped.Value);
        await _sessions.WrittenAsync(6);
        await store.StopAsync(CancellationToken.None);
        Assert.Equal(6, _sessions.Writes);
    }

    [Fact]
    public async Task Lookups_at_once_are_bounded()
    {
        var lookups = Enumerable.Range(0, 2 * ResumptionStore.MaxLookups).Select(_ => _store.FindAsync(NewId(1)).AsTask()).ToArray();
        Assert.Equal(ResumptionStore.MaxLookups, _sessions.Lookups);
        Assert.Equal(ResumptionStore.MaxLookups, lookups.Count(static lookup => lookup.IsCompleted));
        _sessions.Gate.SetResult();
        await Task.WhenAll(lookups);
    }

    private static byte[] NewId(byte first) => [first, .. new byte[31]];

    /// <summary>Session grains in memory. Calls wait for the gate.</summary>
    private sealed class ScriptedSessions
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, ReadOnlyMemory<byte>> _stored = [];
        private readonly Channel<bool> _changed = Channel.CreateUnbounded<bool>();

        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Exception? Failure { get; set; }

        public int Lookups { get; private set; }

        public int Begun { get; private set; }

        public int Writes { get; private set; }

        public Task WrittenAsync(int count) => UntilAsync(() => Writes >= count);

        public Task BegunAsync(int count) => UntilAsync(() => Begun >= count);

        public object Grain(object key) => new Session(this, (string)key);

        private async Task UntilAsync(Func<bool> condition)
        {
            while (true)
            {
                lock (_gate)
                {
                    if (condition())
                        return;
                }

                await _changed.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            }
        }

        private async ValueTask WriteAsync(Action write)
        {
            lock (_gate)
                Begun++;
            _changed.Writer.TryWrite(true);
            await Gate.Task;
            lock (_gate)
            {
                Writes++;
                if (Failure is null)
                    write();
            }

            _changed.Writer.TryWrite(true);
            if (Failure is { } failure)
                throw failure;
        }

        private sealed class Session(ScriptedSessions all, string key) : IResumptionGrain
        {
            public ValueTask Store(StoredSession session, CancellationToken cancellationToken) => all.WriteAsync(() => all._stored[key] = session.Sealed);

            public ValueTask Remove(CancellationToken cancellationToken) => all.WriteAsync(() => all._stored.Remove(key));

            public async ValueTask<ReadOnlyMemory<byte>> Find(CancellationToken cancellationToken)
            {
                all.Lookups++;

                // As Orleans: who cancels a call does not wait for the grain.
                await all.Gate.Task.WaitAsync(cancellationToken);
                if (all.Failure is { } failure)
                    throw failure;
                lock (all._gate)
                    return all._stored.GetValueOrDefault(key);
            }
        }
    }
}
