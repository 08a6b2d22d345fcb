using System.Text;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>What an engine that fails leaves in memory.</summary>
public sealed class FailingEngineTests
{
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("the password of the whole house, in the clear");

    [Theory]
    [MemberData(nameof(TestSessions.Tls13), MemberType = typeof(TestSessions))]
    [MemberData(nameof(TestSessions.Tls12), MemberType = typeof(TestSessions))]
    public void What_was_to_be_sealed_and_was_not_is_wiped(CipherSuite suite)
    {
        var engine = new FailingEngine { RunFails = true };
        using var phase = new DataPhase(TestSessions.Create(suite), engine);
        var room = GC.AllocateArray<byte>(512, pinned: true);

        // Sealed at once, and in a batch that was run, and in one that was not.
        Lay();
        Assert.Throws<RecordEngineException>(() => phase.Writer.Seal(ContentType.ApplicationData, room, Secret.Length));
        AssertWiped();

        var job = default(RecordJob);
        Lay();
        phase.Writer.Prepare(ContentType.ApplicationData, room, Secret.Length, ref job);
        Assert.Throws<RecordEngineException>(() => RecordWriteState.Complete(ref job));
        AssertWiped();

        Lay();
        phase.Writer.Prepare(ContentType.ApplicationData, room, Secret.Length, ref job);
        job.Release();
        AssertWiped();

        void Lay() => Secret.CopyTo(room, phase.Writer.PrefixLength);

        void AssertWiped() => Assert.Equal(-1, room.AsSpan().IndexOf(Secret.AsSpan(0, 8)));
    }

    [Theory]
    [MemberData(nameof(TestSessions.Tls13), MemberType = typeof(TestSessions))]
    [MemberData(nameof(TestSessions.Tls12), MemberType = typeof(TestSessions))]
    public void What_was_sealed_stays(CipherSuite suite)
    {
        using var phase = new DataPhase(TestSessions.Create(suite));
        using var client = new TestClient(TestSessions.Create(suite));
        var room = GC.AllocateArray<byte>(512, pinned: true);
        Secret.CopyTo(room, phase.Writer.PrefixLength);

        var length = phase.Writer.Seal(ContentType.ApplicationData, room, Secret.Length);

        Assert.Equal(Secret, client.Open(room.AsSpan(0, length)).Content);
    }

    [Theory]
    [InlineData(CipherSuite.Aes128GcmSha256, 1)]
    [InlineData(CipherSuite.Aes128GcmSha256, 2)]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256, 1)]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256, 2)]
    public void Session_that_can_not_be_begun_leaves_no_key(CipherSuite suite, int failsAt)
    {
        var engine = new FailingEngine { KeyThatFails = failsAt };
        var session = TestSessions.Create(suite);

        Assert.Throws<RecordEngineException>(() => new DataPhase(session, engine));

        Assert.Throws<ObjectDisposedException>(() => session.ClientSecret.Length);
        Assert.Equal(failsAt - 1, engine.Keys.Count);
        Assert.All(engine.Keys, static key => Assert.True(key.IsWiped));
    }

    private sealed class FailingEngine : IRecordEngine
    {
        public bool RunFails { get; init; }

        /// <summary>The first is 1.</summary>
        public int KeyThatFails { get; init; }

        public List<RecordKey> Keys { get; } = [];

        public string Name => "failing";

        public int Lanes => 1;

        public RecordKey CreateKey(in RecordKeyMaterial material)
        {
            if (Keys.Count + 1 == KeyThatFails)
                throw new RecordEngineException("as the test wants it");
            Keys.Add(ManagedEngine.Instance.CreateKey(material));
            return Keys[^1];
        }

        public void Run(Span<RecordJob> jobs)
        {
            if (RunFails)
                throw new RecordEngineException("as the test wants it");
            ManagedEngine.Instance.Run(jobs);
        }

        public void Dispose()
        {
        }
    }
}
