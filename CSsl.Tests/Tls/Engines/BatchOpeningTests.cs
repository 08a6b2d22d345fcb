using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Engines;

public sealed class BatchOpeningTests
{
    private const CipherSuite Tls13 = CipherSuite.Aes128GcmSha256;

    [Theory]
    [MemberData(nameof(TestEngines.Both), MemberType = typeof(TestEngines))]
    public void Records_of_all_suites_open_in_one_batch_several_of_each_connection(EngineChoice choice)
    {
        const int Each = 5;
        var engine = TestEngines.Get(choice);
        EngineConnection[] connections = [.. TestSessions.Suites.Select(suite => new EngineConnection(engine, suite.Suite, suite.EncryptThenMac))];
        var jobs = new RecordJob[Each * connections.Length];
        for (var i = 0; i < jobs.Length; i++)
        {
            var connection = connections[i % connections.Length];
            connection.PrepareRead(connection.Client.SealData(7 * i, seed: i), ref jobs[i]);
        }

        engine.Run(jobs);

        for (var i = 0; i < jobs.Length; i++)
            Assert.Equal(TestSessions.Bytes(7 * i, i), connections[i % connections.Length].CompleteRead(ref jobs[i]));
        Array.ForEach(connections, connection => connection.Dispose());
    }

    [Theory]
    [MemberData(nameof(TestEngines.All), MemberType = typeof(TestEngines))]
    public void Tampered_record_is_refused_and_its_neighbours_are_not(EngineChoice choice, CipherSuite suite, bool encryptThenMac)
    {
        const int Length = 100;
        var engine = TestEngines.Get(choice);
        var prefix = new EngineConnection(engine, suite, encryptThenMac).Server.Writer.PrefixLength;
        var tls13 = CipherSuiteInfo.Get(suite).Version == TlsVersion.Tls13;
        var damages = new (Func<byte[], byte[]> Damage, AlertDescription Alert)[]
        {
            (record => Flip(record, prefix), AlertDescription.BadRecordMac),
            (record => Flip(record, record.Length - 1), AlertDescription.BadRecordMac),
            (record => Flip(record, 2), AlertDescription.BadRecordMac),
            (record => [22, .. record[1..]], tls13 ? AlertDescription.UnexpectedMessage : AlertDescription.BadRecordMac),
            (record => Truncate(record, record.Length - 16), AlertDescription.BadRecordMac),
            (record => Truncate(record, RecordHeader.Size + 7), AlertDescription.BadRecordMac),
            (record => [20, .. record[1..]], AlertDescription.UnexpectedMessage),
            (record => Flip(record, 1), AlertDescription.ProtocolVersion),
        };

        foreach (var (damage, alert) in damages)
        {
            using var before = new EngineConnection(engine, suite, encryptThenMac);
            using var victim = new EngineConnection(engine, suite, encryptThenMac);
            using var after = new EngineConnection(engine, suite, encryptThenMac);
            var jobs = new RecordJob[5];
            before.PrepareRead(before.Client.SealData(Length), ref jobs[0]);
            victim.PrepareRead(victim.Client.SealData(Length), ref jobs[1]);
            victim.PrepareRead(damage(victim.Client.SealData(Length)), ref jobs[2]);
            victim.PrepareRead(victim.Client.SealData(Length), ref jobs[3]);
            after.PrepareRead(after.Client.SealData(Length), ref jobs[4]);

            engine.Run(jobs);

            var expected = TestSessions.Bytes(Length, 42);
            Assert.Equal(expected, before.CompleteRead(ref jobs[0]));
            Assert.Equal(expected, victim.CompleteRead(ref jobs[1]));
            Assert.Equal(alert, victim.Refusal(ref jobs[2]));
            Assert.Equal(alert, victim.Refusal(ref jobs[3]));
            Assert.Equal(expected, after.CompleteRead(ref jobs[4]));
            Assert.Equal(ReadStatus.ApplicationData, after.Server.Read(after.Client.SealData(Length), new byte[1000], out _));
        }
    }

    [Theory]
    [MemberData(nameof(TestEngines.Both), MemberType = typeof(TestEngines))]
    public void What_does_not_authenticate_is_not_left_behind(EngineChoice choice)
    {
        var engine = TestEngines.Get(choice);
        foreach (var (suite, encryptThenMac) in TestSessions.Suites)
        {
            using var connection = new EngineConnection(engine, suite, encryptThenMac);
            var sealedRecord = Flip(connection.Client.SealData(200), connection.Server.Writer.PrefixLength + 100);
            var record = connection.Room(sealedRecord.Length);
            sealedRecord.CopyTo(record);
            var plaintext = connection.Room(sealedRecord.Length);
            plaintext.Fill(0xEE);
            var job = default(RecordJob);
            connection.Server.PrepareRead(record, plaintext, ref job);

            engine.Run(new Span<RecordJob>(ref job));

            // Nothing but zeros where the engine writes, and nothing behind it.
            Assert.Equal(RecordJobStatus.NotAuthentic, job.Status);
            var zeros = plaintext.IndexOfAnyExcept((byte)0);
            Assert.InRange(zeros, 200, plaintext.Length - 1);
            Assert.Equal(-1, plaintext[zeros..].IndexOfAnyExcept((byte)0xEE));
            job.Release();
        }
    }

    [Theory]
    [MemberData(nameof(TestEngines.Both), MemberType = typeof(TestEngines))]
    public void Records_behind_a_key_update_open_under_the_new_key(EngineChoice choice)
    {
        var engine = TestEngines.Get(choice);
        using var connection = new EngineConnection(engine, Tls13);
        var jobs = new RecordJob[8];
        connection.PrepareRead(connection.Client.SealData(10, 0), ref jobs[0]);
        connection.PrepareRead(connection.Client.SealKeyUpdate(request: 0), ref jobs[1]);
        connection.PrepareRead(connection.Client.SealData(10, 2), ref jobs[2]);
        connection.PrepareRead(connection.Client.SealData(10, 3), ref jobs[3]);
        connection.PrepareRead(connection.Client.SealKeyUpdate(request: 1), ref jobs[4]);
        connection.PrepareRead(connection.Client.SealData(10, 5), ref jobs[5]);
        engine.Run(jobs);
        var firstKey = jobs[0].RecordKey!;

        Assert.Equal(TestSessions.Bytes(10, 0), connection.CompleteRead(ref jobs[0]));
        Assert.Equal(ReadStatus.Handled, connection.Server.CompleteRead(ref jobs[1], out _));
        // Prepared in the middle, when two of the records above have not come to their new key yet.
        connection.PrepareRead(connection.Client.SealData(10, 6), ref jobs[6]);
        Assert.False(firstKey.IsWiped);
        Assert.Equal(TestSessions.Bytes(10, 2), connection.CompleteRead(ref jobs[2]));
        Assert.Equal(TestSessions.Bytes(10, 3), connection.CompleteRead(ref jobs[3]));
        Assert.Equal(ReadStatus.ReplyPending, connection.Server.CompleteRead(ref jobs[4], out _));
        connection.PrepareRead(connection.Client.SealData(10, 7), ref jobs[7]);
        engine.Run(jobs.AsSpan(6));
        Assert.Equal(TestSessions.Bytes(10, 5), connection.CompleteRead(ref jobs[5]));
        Assert.Equal(TestSessions.Bytes(10, 6), connection.CompleteRead(ref jobs[6]));
        Assert.Equal(TestSessions.Bytes(10, 7), connection.CompleteRead(ref jobs[7]));

        Assert.True(firstKey.IsWiped);
        Assert.Equal(8UL, connection.Server.RecordsOpened);
    }

    [Theory]
    [MemberData(nameof(TestEngines.Both), MemberType = typeof(TestEngines))]
    public void Records_behind_a_close_notify_are_ignored(EngineChoice choice)
    {
        var engine = TestEngines.Get(choice);
        using var connection = new EngineConnection(engine, Tls13);
        var jobs = new RecordJob[3];
        connection.PrepareRead(connection.Client.SealData(10), ref jobs[0]);
        connection.PrepareRead(connection.Client.SealAlert(AlertLevel.Warning, AlertDescription.CloseNotify), ref jobs[1]);
        connection.PrepareRead(connection.Client.SealData(10), ref jobs[2]);
        engine.Run(jobs);

        connection.CompleteRead(ref jobs[0]);
        Assert.Equal(ReadStatus.CloseNotify, connection.Server.CompleteRead(ref jobs[1], out _));
        Assert.Equal(ReadStatus.CloseNotify, connection.Server.CompleteRead(ref jobs[2], out var nothing));

        Assert.True(nothing.IsEmpty);
        Assert.Null(jobs[2].RecordKey);
        Assert.Equal(2UL, connection.Server.RecordsOpened);
    }

    [Fact]
    public void Job_that_no_engine_ran_is_no_record()
    {
        using var connection = new EngineConnection(ManagedEngine.Instance, Tls13);
        var job = default(RecordJob);
        connection.PrepareRead(connection.Client.SealData(10), ref job);

        Assert.Throws<RecordEngineException>(() => connection.Server.CompleteRead(ref job, out _));
        Assert.Null(job.RecordKey);
    }

    private static byte[] Flip(byte[] record, int at)
    {
        record[at] ^= 1;
        return record;
    }

    private static byte[] Truncate(byte[] record, int length)
    {
        var truncated = record[..length];
        new RecordHeader((ContentType)record[0], 0x0303, length - RecordHeader.Size).Write(truncated);
        return truncated;
    }
}
