using System.Diagnostics.Metrics;
using CSsl.Grains.Aggregation;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Silo.Aggregation;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Engines;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace CSsl.Tests.Silo.Aggregation;

public sealed class RecordAggregatorTests : IDisposable
{
    private readonly TestMeters _meters = new();
    private readonly List<TestBatch> _batches = [];
    private GatedEngine _engine = new();
    private AggregatorMetrics? _metrics;

    [Fact]
    public void A_batch_that_comes_alone_is_run_at_once_by_one_call()
    {
        var aggregator = NewAggregator();
        var batch = NewBatch(3);

        Assert.True(aggregator.TryRun(batch));

        Assert.Equal([3], _engine.Calls);
        Assert.False(batch.WasTold);
        batch.Check();
    }

    [Fact]
    public async Task Batches_that_come_during_a_call_share_the_next_one_in_order()
    {
        var aggregator = NewAggregator();
        _engine.Shut();
        var first = NewBatch(1);
        var running = Task.Run(() => aggregator.TryRun(first));
        await _engine.EnteredAsync();
        TestBatch[] others = [NewBatch(2), NewBatch(3, CipherSuite.EcdheRsaAes256CbcSha384), NewBatch(4, CipherSuite.ChaCha20Poly1305Sha256)];

        foreach (var other in others)
            Assert.False(aggregator.TryRun(other));
        _engine.Open();

        Assert.True(await running.WaitAsync(TestSilo.Patience));
        await Task.WhenAll(others.Select(other => other.HasRun));
        Assert.Equal([1, 9], _engine.Calls);
        Assert.Equal(2, _metrics!.Calls);
        Assert.Equal(10, _metrics.Records);
        foreach (var batch in _batches)
            batch.Check();
    }

    [Fact]
    public void A_call_has_no_more_records_than_configured()
    {
        var aggregator = NewAggregator(new AggregationOptions { RecordsPerCall = 4 });
        var batch = NewBatch(10);

        Assert.True(aggregator.TryRun(batch));

        Assert.Equal([4, 4, 2], _engine.Calls);
        batch.Check();
    }

    [Fact]
    public void Settings_that_are_changed_hold_from_the_next_call_on()
    {
        var aggregator = NewAggregator();
        aggregator.TryRun(NewBatch(5));
        aggregator.Change(new AggregationChange { RecordsPerCall = 3 });
        aggregator.TryRun(NewBatch(5));
        aggregator.Change(new AggregationChange { MaxDelay = TimeSpan.FromTicks(1) });
        aggregator.TryRun(NewBatch(5));

        Assert.Equal([5, 3, 2, 3, 2], _engine.Calls);
        var status = aggregator.Status;
        Assert.Equal((3, TimeSpan.FromTicks(1), 5L, 15L), (status.RecordsPerCall, status.MaxDelay, status.Calls, status.Records));
    }

    [Fact]
    public async Task A_record_that_fails_fails_its_own_connection_only()
    {
        var aggregator = NewAggregator();
        var broken = NewBatch(2);
        var brokenKey = broken.Key;
        _engine.Fails = key => ReferenceEquals(key, brokenKey);
        _engine.Shut();
        var first = NewBatch(1);
        var running = Task.Run(() => aggregator.TryRun(first));
        await _engine.EnteredAsync();
        var sound = NewBatch(2);
        Assert.False(aggregator.TryRun(broken));
        Assert.False(aggregator.TryRun(sound));

        _engine.Open();
        await running.WaitAsync(TestSilo.Patience);
        await Task.WhenAll(broken.HasRun, sound.HasRun);

        Assert.Throws<RecordEngineException>(broken.Check);
        first.Check();
        sound.Check();
        Assert.Equal(1, _metrics!.Failures);
    }

    [Fact]
    public async Task Batches_are_sealed_and_told_though_a_listener_of_the_metrics_throws()
    {
        var aggregator = NewAggregator();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (_meters.Has(instrument.Meter) && instrument.Name == "cssl.engine.queue_wait")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => throw new InvalidOperationException("as the test wants it"));
        listener.Start();

        for (var round = 0; round < 2; round++)
        {
            _engine.Shut();
            var first = NewBatch(1);
            var running = Task.Run(() => aggregator.TryRun(first));
            await _engine.EnteredAsync();
            TestBatch[] others = [NewBatch(2), NewBatch(3)];
            foreach (var other in others)
                Assert.False(aggregator.TryRun(other));

            _engine.Open();

            Assert.True(await running.WaitAsync(TestSilo.Patience));
            await Task.WhenAll(others.Select(static other => other.HasRun)).WaitAsync(TestSilo.Patience);
            await _engine.EnteredAsync();
        }

        Assert.Equal(2, _metrics!.Failures);
        foreach (var batch in _batches)
            batch.Check();
    }

    [Fact]
    public async Task A_batch_that_can_not_be_told_keeps_nobody_waiting()
    {
        var aggregator = NewAggregator();
        _engine.Shut();
        var first = NewBatch(1);
        var running = Task.Run(() => aggregator.TryRun(first));
        await _engine.EnteredAsync();
        var deaf = new DeafBatch();
        var other = NewBatch(2);
        Assert.False(aggregator.TryRun(deaf));
        Assert.False(aggregator.TryRun(other));

        _engine.Open();

        Assert.True(await running.WaitAsync(TestSilo.Patience));
        await other.HasRun.WaitAsync(TestSilo.Patience);
        other.Check();
        await deaf.WasCalled.WaitAsync(TestSilo.Patience);
    }

    [Fact]
    public async Task A_call_with_free_lanes_waits_for_company_as_long_as_configured()
    {
        _engine = new GatedEngine { Lanes = 8 };
        var aggregator = NewAggregator(new AggregationOptions { MaxDelay = TimeSpan.FromSeconds(20) });
        var one = NewBatch(3);
        var other = NewBatch(5);

        var waiting = Task.Run(() => aggregator.TryRun(one));
        var joining = Task.Run(() => aggregator.TryRun(other));

        Assert.NotEqual(await waiting.WaitAsync(TestSilo.Patience), await joining.WaitAsync(TestSilo.Patience));
        Assert.Equal([8], _engine.Calls);
        one.Check();
        other.Check();
    }

    [Fact]
    public async Task Many_links_at_once_never_meet_in_the_engine_and_all_are_served()
    {
        const int Links = 8;
        const int Rounds = 300;
        var aggregator = NewAggregator();
        var links = Enumerable.Range(0, Links).Select(_ => Task.Run(async () =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                using var batch = new TestBatch(_engine).With(2);
                if (!aggregator.TryRun(batch))
                    await batch.HasRun;
                batch.Check();
            }
        }));

        await Task.WhenAll(links).WaitAsync(TestSilo.Patience);

        Assert.False(_engine.Overlapped);
        Assert.Equal(2 * Links * Rounds, _engine.Calls.Sum());
        Assert.Equal(_engine.Calls.Count, _metrics!.Calls);
    }

    [Fact]
    public void Running_batches_allocates_nothing()
    {
        var aggregator = NewAggregator(engine: ManagedEngine.Instance);
        var batch = NewBatch(1, engine: ManagedEngine.Instance);

        // What is done stays done: the engine passes over it, the rest of the way is walked.
        Allocations.AssertNone(() =>
        {
            for (var i = 0; i < 100; i++)
                aggregator.TryRun(batch);
        });

        batch.Check();
    }

    public void Dispose()
    {
        foreach (var batch in _batches)
            batch.Dispose();
        _engine.Dispose();
        _meters.Dispose();
    }

    private RecordAggregator NewAggregator(AggregationOptions? options = null, IRecordEngine? engine = null)
    {
        _metrics = new AggregatorMetrics(_meters, engine ?? _engine);
        return new RecordAggregator(engine ?? _engine, _metrics, Options.Create(options ?? new AggregationOptions()), NullLogger<RecordAggregator>.Instance);
    }

    private TestBatch NewBatch(int records, CipherSuite suite = CipherSuite.Aes128GcmSha256, IRecordEngine? engine = null)
    {
        var batch = new TestBatch(engine ?? _engine, suite).With(records);
        _batches.Add(batch);
        return batch;
    }

    /// <summary>Fails when it is told.</summary>
    private sealed class DeafBatch : RecordBatch
    {
        private readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task WasCalled => _called.Task;

        public override void OnRun()
        {
            _called.SetResult();
            throw new InvalidOperationException("as the test wants it");
        }
    }
}
