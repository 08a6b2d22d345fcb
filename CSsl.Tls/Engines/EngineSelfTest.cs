using System.Globalization;
using System.Text;

namespace CSsl.Tls.Engines;

/// <summary>Tries an engine before it is trusted: known answers, and the same records as another engine, sealed and opened, bit by bit.</summary>
/// <remarks>Takes some milliseconds. Its text is a pattern, not random: what it finds, it finds every time.</remarks>
internal static class EngineSelfTest
{
    private static readonly int[] Lengths = [1, 0, 15, 16, 17, 31, 64, 100, 255, 1024, 4099, 1 << 14];

    /// <exception cref="RecordEngineException">The engine is wrong; says in what.</exception>
    public static void Run(IRecordEngine engine, IRecordEngine reference)
    {
        foreach (var answer in KnownAnswer.All)
            Check(engine, answer);
        foreach (var answer in KnownAnswer.All)
            Compare(engine, reference, CipherSuiteInfo.Get(answer.Suite), answer.EncryptThenMac);
    }

    private static void Check(IRecordEngine engine, KnownAnswer answer)
    {
        var suite = CipherSuiteInfo.Get(answer.Suite);
        var record = new TrialRecord(
            suite,
            answer.EncryptThenMac,
            Encoding.ASCII.GetBytes(answer.Text),
            Convert.FromHexString(answer.Nonce),
            Convert.FromHexString(answer.AdditionalData),
            shift: 0);
        using var key = engine.CreateKey(Material(suite, RecordDirection.Seal, answer.EncryptThenMac, answer.FirstKeyByte));
        var jobs = new RecordJob[1];
        record.PrepareSeal(key, ref jobs[0]);
        Run(engine, jobs, RecordJobStatus.Done, suite, answer.EncryptThenMac, "a known answer");
        if (!record.Sealed.SequenceEqual(Convert.FromHexString(answer.Sealed)))
            throw Wrong(engine, suite, answer.EncryptThenMac, "a known answer");
    }

    private static void Compare(IRecordEngine engine, IRecordEngine reference, CipherSuiteInfo suite, bool encryptThenMac)
    {
        var records = Records(suite, encryptThenMac);
        var same = Records(suite, encryptThenMac);
        RunAll(engine, suite, encryptThenMac, RecordDirection.Seal, records, RecordJobStatus.Done);
        RunAll(reference, suite, encryptThenMac, RecordDirection.Seal, same, RecordJobStatus.Done);
        for (var i = 0; i < records.Length; i++)
        {
            if (!records[i].SealedWithIv.SequenceEqual(same[i].SealedWithIv))
                throw Wrong(engine, suite, encryptThenMac, $"sealing {records[i].TextLength} bytes");
        }

        RunAll(engine, suite, encryptThenMac, RecordDirection.Open, records, RecordJobStatus.Done);
        RunAll(reference, suite, encryptThenMac, RecordDirection.Open, same, RecordJobStatus.Done);
        for (var i = 0; i < records.Length; i++)
        {
            if (!records[i].Opened.SequenceEqual(same[i].Opened))
                throw Wrong(engine, suite, encryptThenMac, $"opening {records[i].TextLength} bytes");
        }

        // The last bit of each: of the tag, of the outer MAC, of the padding.
        foreach (var record in records)
            record.Sealed[^1] ^= 1;
        RunAll(engine, suite, encryptThenMac, RecordDirection.Open, records, RecordJobStatus.NotAuthentic);
    }

    /// <summary>Every length twice: all zeros and aligned, then a pattern and not aligned.</summary>
    private static TrialRecord[] Records(CipherSuiteInfo suite, bool encryptThenMac)
    {
        var records = new TrialRecord[2 * Lengths.Length];
        for (var i = 0; i < records.Length; i++)
        {
            var text = new byte[Lengths[i % Lengths.Length]];
            var odd = i >= Lengths.Length;
            if (odd)
                Count(text, (byte)i);
            var nonce = new byte[suite.IsAead ? CipherLengths.Nonce : CipherLengths.Block];
            var additionalData = new byte[suite is { Version: TlsVersion.Tls13 } ? 5 : 13];
            Count(nonce, (byte)(7 * i));
            Count(additionalData, (byte)(11 * i));
            records[i] = new TrialRecord(suite, encryptThenMac, text, nonce, additionalData, shift: odd ? 2 * i + 1 : 0);
            if (!suite.IsAead && !encryptThenMac)
                records[i].AuthenticateLength();
        }

        return records;
    }

    private static void RunAll(IRecordEngine engine, CipherSuiteInfo suite, bool encryptThenMac, RecordDirection direction, TrialRecord[] records, RecordJobStatus expected)
    {
        // Three keys: a batch is of several connections, and has several records of one.
        RecordKey[] keys = [.. Enumerable.Range(0, 3).Select(i => engine.CreateKey(Material(suite, direction, encryptThenMac, (byte)(31 * i))))];
        var jobs = new RecordJob[records.Length];
        for (var i = 0; i < records.Length; i++)
        {
            if (direction == RecordDirection.Seal)
                records[i].PrepareSeal(keys[i % keys.Length], ref jobs[i]);
            else
                records[i].PrepareOpen(keys[i % keys.Length], ref jobs[i]);
        }

        Run(engine, jobs, expected, suite, encryptThenMac, direction == RecordDirection.Seal ? "sealing a batch" : "opening a batch");
        foreach (var key in keys)
            key.Dispose();
    }

    private static void Run(IRecordEngine engine, RecordJob[] jobs, RecordJobStatus expected, CipherSuiteInfo suite, bool encryptThenMac, string what)
    {
        engine.Run(jobs);
        var wrong = jobs.AsSpan().ContainsAnyStatusBut(expected);
        foreach (ref var job in jobs.AsSpan())
            job.Release();
        if (wrong)
            throw Wrong(engine, suite, encryptThenMac, what);
    }

    private static bool ContainsAnyStatusBut(this Span<RecordJob> jobs, RecordJobStatus expected)
    {
        foreach (ref var job in jobs)
        {
            if (job.Status != expected)
                return true;
        }

        return false;
    }

    private static RecordKeyMaterial Material(CipherSuiteInfo suite, RecordDirection direction, bool encryptThenMac, byte first)
    {
        var key = new byte[suite.KeyLength];
        var macKey = new byte[suite.MacLength];
        Count(key, first);
        Count(macKey, KnownAnswer.FirstMacKeyByte);
        return new RecordKeyMaterial(suite, direction, encryptThenMac, key, macKey);
    }

    private static void Count(Span<byte> bytes, byte first)
    {
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)(first + i);
    }

    private static RecordEngineException Wrong(IRecordEngine engine, CipherSuiteInfo suite, bool encryptThenMac, string what) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"{engine.Name} fails its self-test: {suite.IanaName}{(encryptThenMac ? " (encrypt-then-MAC)" : "")}, {what}"));
}
