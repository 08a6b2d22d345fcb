using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Engines.IpsecMb;
using Xunit;

namespace CSsl.Tests.Tls.Engines;

/// <summary>Random records, in random batches of all suites and both directions: whatever engine runs them, the same bytes come out.</summary>
public sealed class EngineEqualityTests
{
    private const int Keys = 4;
    private const int MostRecords = 256;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Engines_agree_on_every_byte_of_a_mixed_batch(int seed)
    {
        var random = new Random(seed);
        Plan[] plans = [.. Enumerable.Range(0, random.Next(1, MostRecords + 1)).Select(_ => Plan.Of(random))];
        var order = Enumerable.Range(0, plans.Length).ToArray();
        using var managed = new Batch(ManagedEngine.Instance, plans);
        using var lanes = new Batch(TestEngines.IpsecMb, plans);

        managed.Run(order, split: false);
        random.Shuffle(order);
        lanes.Run(order, split: random.Next(2) == 0);

        managed.AssertSame(lanes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(64)]
    public void Records_go_to_lanes_only_in_company(int threshold)
    {
        // The choice between lanes and .NET's ciphers must not show.
        using var engine = IpsecMbEngine.Create(new IpsecMbExports());
        engine.Crossover = Crossover.From(threshold);
        var random = new Random(threshold);
        Plan[] plans = [.. Enumerable.Range(0, 40).Select(_ => Plan.Of(random))];
        using var managed = new Batch(ManagedEngine.Instance, plans);
        using var lanes = new Batch(engine, plans);

        var order = Enumerable.Range(0, plans.Length).ToArray();
        managed.Run(order, split: false);
        lanes.Run(order, split: true);

        managed.AssertSame(lanes);
    }

    [Fact]
    public void Threads_do_not_share_lanes()
    {
        Plan[] plans = [.. Enumerable.Range(0, 100).Select(i => Plan.Of(new Random(i)))];
        var order = Enumerable.Range(0, plans.Length).ToArray();
        using var expected = new Batch(ManagedEngine.Instance, plans);
        expected.Run(order, split: false);
        Batch[] batches = [.. Enumerable.Range(0, 8).Select(_ => new Batch(TestEngines.IpsecMb, plans))];

        Parallel.ForEach(batches, batch => batch.Run(order, split: true));

        foreach (var batch in batches)
        {
            expected.AssertSame(batch);
            batch.Dispose();
        }
    }

    /// <summary>A record of a suite and key, and whether it is to be opened, and tampered with before.</summary>
    private sealed record Plan(CipherSuiteInfo Suite, bool EncryptThenMac, int Key, int Length, int Shift, bool Opens, int? TamperedByte, int Seed)
    {
        public static Plan Of(Random random)
        {
            var (suite, encryptThenMac) = TestSessions.Suites.ElementAt(random.Next(TestSessions.Suites.Count()));
            var length = random.Next(5) switch
            {
                0 => random.Next(4),
                1 => random.Next(64),
                2 => random.Next(2000),
                3 => random.Next((1 << 14) + 1),
                _ => 1 << random.Next(15),
            };
            int? tampered = random.Next(4) == 0 ? random.Next() : null;
            return new Plan(CipherSuiteInfo.Get(suite), encryptThenMac, random.Next(Keys), length, random.Next(64), random.Next(2) == 0, tampered, random.Next());
        }

        public TrialRecord Make()
        {
            var record = new TrialRecord(
                Suite,
                EncryptThenMac,
                TestSessions.Bytes(Length, Seed),
                TestSessions.Bytes(Suite.IsAead ? 12 : 16, Seed + 1),
                TestSessions.Bytes(Suite.Version == TlsVersion.Tls13 ? 5 : 13, Seed + 2),
                Shift);
            if (!Suite.IsAead && !EncryptThenMac)
                record.AuthenticateLength();
            return record;
        }

        public RecordKey MakeKey(IRecordEngine engine, RecordDirection direction) => engine.CreateKey(new RecordKeyMaterial(
            Suite, direction, EncryptThenMac, TestSessions.Bytes(Suite.KeyLength, Key), TestSessions.Bytes(Suite.MacLength, Key + 100)));
    }

    private sealed class Batch : IDisposable
    {
        private readonly IRecordEngine _engine;
        private readonly Plan[] _plans;
        private readonly TrialRecord[] _records;
        private readonly RecordJobStatus[] _statuses;
        private readonly RecordKey[] _keys;

        public Batch(IRecordEngine engine, Plan[] plans)
        {
            _engine = engine;
            _plans = plans;
            _records = [.. plans.Select(plan => plan.Make())];
            _statuses = new RecordJobStatus[plans.Length];
            var keys = new Dictionary<(CipherSuite, bool, int, RecordDirection), RecordKey>();
            _keys = new RecordKey[plans.Length];
            for (var i = 0; i < plans.Length; i++)
            {
                var plan = plans[i];
                var direction = plan.Opens ? RecordDirection.Open : RecordDirection.Seal;
                var id = (plan.Suite.Suite, plan.EncryptThenMac, plan.Key, direction);
                if (!keys.TryGetValue(id, out var key))
                    keys.Add(id, key = plan.MakeKey(engine, direction));
                _keys[i] = key;
                if (plan.Opens)
                    SealWithReference(plan, _records[i]);
            }
        }

        /// <summary>Runs all jobs, in one call or in two with idle ones between.</summary>
        public void Run(int[] order, bool split)
        {
            var jobs = new RecordJob[order.Length + 1];
            for (var i = 0; i < order.Length; i++)
            {
                var (record, key) = (_records[order[i]], _keys[order[i]]);
                if (_plans[order[i]].Opens)
                    record.PrepareOpen(key, ref jobs[i]);
                else
                    record.PrepareSeal(key, ref jobs[i]);
            }

            if (split)
                _engine.Run(jobs.AsSpan(0, jobs.Length / 2));
            _engine.Run(jobs);
            for (var i = 0; i < order.Length; i++)
            {
                _statuses[order[i]] = jobs[i].Status;
                jobs[i].Release();
            }
        }

        public void AssertSame(Batch other)
        {
            for (var i = 0; i < _plans.Length; i++)
            {
                if (_statuses[i] != other._statuses[i])
                    Assert.Fail($"{_plans[i]}: {_statuses[i]} and {other._statuses[i]}");
                if (!_records[i].SealedWithIv.SequenceEqual(other._records[i].SealedWithIv) || !_records[i].Opened.SequenceEqual(other._records[i].Opened))
                    Assert.Fail($"{_plans[i]}: differs");
                Assert.Equal(_plans[i] is { Opens: true, TamperedByte: not null } ? RecordJobStatus.NotAuthentic : RecordJobStatus.Done, _statuses[i]);
            }
        }

        public void Dispose()
        {
            foreach (var key in _keys)
                key.Dispose();
        }

        private static void SealWithReference(Plan plan, TrialRecord record)
        {
            using var key = plan.MakeKey(ManagedEngine.Instance, RecordDirection.Seal);
            var job = default(RecordJob);
            record.PrepareSeal(key, ref job);
            ManagedEngine.Instance.Run(new Span<RecordJob>(ref job));
            job.Release();
            if (plan.TamperedByte is { } tampered)
                record.Sealed[tampered % record.Sealed.Length] ^= (byte)(1 << (tampered % 8));
        }
    }
}
