using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Engines.IpsecMb;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Engines;

public sealed class BatchSealingTests
{
    private const CipherSuite Tls13 = CipherSuite.Aes128GcmSha256;

    [Theory]
    [MemberData(nameof(TestEngines.Both), MemberType = typeof(TestEngines))]
    public void Clients_read_what_one_batch_sealed_for_all_of_them(EngineChoice choice)
    {
        const int Each = 4;
        int[] lengths = [0, 1, 1000, 1 << 14];
        var engine = TestEngines.Get(choice);
        EngineConnection[] connections = [.. TestSessions.Suites.Select(suite => new EngineConnection(engine, suite.Suite, suite.EncryptThenMac))];
        var jobs = new RecordJob[Each * connections.Length];
        var records = new Memory<byte>[jobs.Length];
        for (var i = 0; i < jobs.Length; i++)
        {
            var length = lengths[i / connections.Length];
            records[i] = connections[i % connections.Length].PrepareWrite(TestSessions.Bytes(length, i), ref jobs[i]);
        }

        engine.Run(jobs);

        for (var i = 0; i < jobs.Length; i++)
        {
            RecordWriteState.Complete(ref jobs[i]);
            Assert.Null(jobs[i].RecordKey);
            var (type, content) = connections[i % connections.Length].Client.Open(records[i].Span);
            Assert.Equal(ContentType.ApplicationData, type);
            Assert.Equal(TestSessions.Bytes(lengths[i / connections.Length], i), content);
        }

        Array.ForEach(connections, connection => connection.Dispose());
    }

    [Theory]
    [MemberData(nameof(TestEngines.Both), MemberType = typeof(TestEngines))]
    public void Key_lives_until_the_last_job_that_was_prepared_with_it_is_done(EngineChoice choice)
    {
        var engine = TestEngines.Get(choice);
        using var connection = new EngineConnection(engine, Tls13);
        var jobs = new RecordJob[4];
        var first = connection.PrepareWrite(TestSessions.Bytes(10, 1), ref jobs[0]);
        connection.Server.RequestKeyUpdate();
        var control = connection.Room(DataPhase.ControlRoom);
        var length = connection.Server.PreparePending(control, jobs.AsSpan(1), out var prepared);
        var second = connection.PrepareWrite(TestSessions.Bytes(10, 2), ref jobs[2]);
        var (oldKey, newKey) = (jobs[0].RecordKey!, jobs[2].RecordKey!);

        Assert.Equal(1, prepared);
        Assert.Same(oldKey, jobs[1].RecordKey);
        Assert.NotSame(oldKey, newKey);
        engine.Run(jobs);
        RecordWriteState.Complete(ref jobs[0]);
        Assert.False(oldKey.IsWiped);
        RecordWriteState.Complete(ref jobs[1]);
        Assert.True(oldKey.IsWiped);
        RecordWriteState.Complete(ref jobs[2]);

        Assert.Equal(TestSessions.Bytes(10, 1), connection.Client.Open(first.Span).Content);
        Assert.Equal([24, 0, 0, 1, 0], connection.Client.Open(control[..length]).Content);
        connection.Client.Reader.UpdateKey();
        Assert.Equal(TestSessions.Bytes(10, 2), connection.Client.Open(second.Span).Content);
        Assert.False(newKey.IsWiped);
        connection.Server.Dispose();
        Assert.True(newKey.IsWiped);
    }

    [Fact]
    public void Job_that_is_given_up_returns_its_key()
    {
        var connection = new EngineConnection(TestEngines.IpsecMb, Tls13);
        var job = default(RecordJob);
        connection.PrepareWrite([1], ref job);
        var key = job.RecordKey!;
        connection.Dispose();

        Assert.False(key.IsWiped);
        job.Release();
        job.Release();

        Assert.True(key.IsWiped);
        Assert.Equal(RecordJobStatus.Idle, job.Status);
        Assert.Throws<ObjectDisposedException>(() => connection.PrepareWrite([1], ref job));
    }

    [Theory]
    [InlineData(CipherSuite.Aes256GcmSha384, false)]
    [InlineData(CipherSuite.ChaCha20Poly1305Sha256, false)]
    [InlineData(CipherSuite.EcdheRsaAes256CbcSha384, false)]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256, true)]
    public unsafe void Expanded_key_is_zeroed(CipherSuite suite, bool encryptThenMac)
    {
        var connection = new EngineConnection(TestEngines.IpsecMb, suite, encryptThenMac);
        var job = default(RecordJob);
        connection.PrepareWrite([1], ref job);
        var memory = ((IpsecMbKey)job.RecordKey!).Memory;
        // Holds the memory, not the key.
        var held = false;
        memory.DangerousAddRef(ref held);
        connection.Dispose();

        Assert.True(memory.Span.ContainsAnyExcept((byte)0));
        job.Release();
        Assert.False(memory.Span.ContainsAnyExcept((byte)0));

        memory.DangerousRelease();
        Assert.True(memory.IsClosed);
    }

    [Fact]
    public void Record_that_was_not_sealed_is_not_taken_for_one()
    {
        using var connection = new EngineConnection(ManagedEngine.Instance, Tls13);
        var job = default(RecordJob);
        connection.PrepareWrite([1], ref job);

        Assert.Throws<RecordEngineException>(() => RecordWriteState.Complete(ref job));
        Assert.Null(job.RecordKey);
    }

    [Fact]
    public void Engine_refuses_keys_of_another_engine()
    {
        using var connection = new EngineConnection(TestEngines.IpsecMb, Tls13);
        var job = default(RecordJob);
        connection.PrepareWrite([1], ref job);

        Assert.Throws<ArgumentException>(() => ManagedEngine.Instance.Run(new Span<RecordJob>(ref job)));
        Assert.Equal(RecordJobStatus.Ready, job.Status);
        job.Release();
    }

    [Theory]
    [MemberData(nameof(TestEngines.All), MemberType = typeof(TestEngines))]
    public void Explicit_ivs_differ_and_are_random_for_cbc(EngineChoice choice, CipherSuite suite, bool encryptThenMac)
    {
        using var connection = new EngineConnection(TestEngines.Get(choice), suite, encryptThenMac);
        var length = connection.Server.Writer.PrefixLength - RecordHeader.Size;
        var ivs = new HashSet<string>();
        var record = new byte[200];
        for (var i = 0; i < 600; i++)
        {
            connection.Server.Writer.Seal(ContentType.ApplicationData, record, 1);
            ivs.Add(Convert.ToHexString(record, RecordHeader.Size, length));
        }

        Assert.Equal(length == 0 ? 1 : 600, ivs.Count);
        Assert.Equal(!CipherSuiteInfo.Get(suite).IsAead, ivs.Select(iv => iv.Length > 8 ? iv[..8] : "").Distinct().Count() > 590);
    }
}
