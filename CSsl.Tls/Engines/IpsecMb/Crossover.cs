using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>From how many records of a kind in one batch the lanes are faster than one record after the other.</summary>
/// <remarks>
/// A lane alone takes as long as all lanes together: two to four times as long as a cipher that has the processor for itself. Where the two meet
/// depends on the processor (width of the lanes, SHA instructions), so it is measured at start: below a millisecond for each kind.
/// </remarks>
internal sealed class Crossover
{
    private const int Never = int.MaxValue;
    private const int TextLength = 4096;
    private const int Tries = 12;

    private readonly Thresholds _thresholds;

    private Crossover(Thresholds thresholds) => _thresholds = thresholds;

    /// <summary>Everything goes to the lanes.</summary>
    public static Crossover Always { get; } = new(default);

    /// <summary>Nothing does.</summary>
    public static Crossover Alone { get; } = From(Never);

    /// <summary>The same for every kind.</summary>
    public static Crossover From(int records)
    {
        Thresholds thresholds = default;
        ((Span<int>)thresholds).Fill(records);
        return new Crossover(thresholds);
    }

    public int Of(CbcKind kind) => _thresholds[(int)kind];

    /// <summary>Measures it. The engine is left as it was.</summary>
    public static Crossover Measure(IpsecMbEngine engine)
    {
        var before = engine.Crossover;
        Thresholds thresholds = default;
        thresholds[(int)CbcKind.MacThenEncryptSha256] = Measure(engine, CipherSuite.EcdheRsaAes128CbcSha256, encryptThenMac: false);
        thresholds[(int)CbcKind.MacThenEncryptSha384] = Measure(engine, CipherSuite.EcdheRsaAes256CbcSha384, encryptThenMac: false);
        thresholds[(int)CbcKind.EncryptThenMacSha256] = Measure(engine, CipherSuite.EcdheRsaAes128CbcSha256, encryptThenMac: true);
        thresholds[(int)CbcKind.EncryptThenMacSha384] = Measure(engine, CipherSuite.EcdheRsaAes256CbcSha384, encryptThenMac: true);
        engine.Crossover = before;
        return new Crossover(thresholds);
    }

    private static int Measure(IpsecMbEngine engine, CipherSuite number, bool encryptThenMac)
    {
        var suite = CipherSuiteInfo.Get(number);
        using var key = engine.CreateKey(new RecordKeyMaterial(suite, RecordDirection.Seal, encryptThenMac, new byte[suite.KeyLength], new byte[suite.MacLength]));
        var records = Enumerable.Range(0, engine.Lanes)
            .Select(_ => new TrialRecord(suite, encryptThenMac, new byte[TextLength], new byte[CipherLengths.Block], new byte[13], shift: 0))
            .ToArray();

        engine.Crossover = Alone;
        var alone = Time(engine, key, records.AsSpan(0, 1));
        engine.Crossover = Always;
        foreach (var company in (ReadOnlySpan<int>)[2, 3, 4, 6, 8, 12, 16])
        {
            if (company <= records.Length && Time(engine, key, records.AsSpan(0, company)) < company * alone)
                return company;
        }

        return Never;
    }

    /// <summary>The best of some tries: other work on the machine only makes it slower.</summary>
    private static long Time(IpsecMbEngine engine, RecordKey key, ReadOnlySpan<TrialRecord> records)
    {
        var jobs = new RecordJob[records.Length];
        var best = long.MaxValue;
        for (var i = 0; i < Tries; i++)
        {
            for (var j = 0; j < records.Length; j++)
                records[j].PrepareSeal(key, ref jobs[j]);
            var start = Stopwatch.GetTimestamp();
            engine.Run(jobs);
            best = Math.Min(best, Stopwatch.GetTimestamp() - start);
            foreach (ref var job in jobs.AsSpan())
                job.Release();
        }

        return best;
    }

    [InlineArray(4)]
    private struct Thresholds
    {
        private int _first;
    }
}
