using CSsl.Tests.Support;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Engines;

public sealed class EngineAllocationTests
{
    private const int Records = 24;
    private const int TextLength = 1000;

    [Theory]
    [MemberData(nameof(TestEngines.All), MemberType = typeof(TestEngines))]
    public void Records_are_sealed_and_opened_without_allocating(EngineChoice choice, CipherSuite suite, bool encryptThenMac)
    {
        var engine = TestEngines.Get(choice);
        using var server = new DataPhase(TestSessions.Create(suite, encryptThenMac), engine);
        using var client = new TestClient(TestSessions.Create(suite, encryptThenMac), engine: engine);
        var length = client.Writer.SealedLength(TextLength);
        var records = GC.AllocateArray<byte>(Records * length, pinned: true);
        var plaintext = GC.AllocateArray<byte>(Records * length, pinned: true);
        var jobs = new RecordJob[Records];

        Allocations.AssertNone(() =>
        {
            Seal();
            Open();
        });

        void Seal()
        {
            for (var i = 0; i < Records; i++)
                client.Writer.Prepare(ContentType.ApplicationData, records.AsSpan(i * length, length), TextLength, ref jobs[i]);
            engine.Run(jobs);
            foreach (ref var job in jobs.AsSpan())
                RecordWriteState.Complete(ref job);

            // One by one, too; as the next one would be.
            server.Writer.Seal(ContentType.ApplicationData, plaintext, TextLength);
        }

        void Open()
        {
            for (var i = 0; i < Records; i++)
                server.PrepareRead(records.AsSpan(i * length, length), plaintext.AsSpan(i * length, length), ref jobs[i]);
            engine.Run(jobs);
            foreach (ref var job in jobs.AsSpan())
            {
                if (server.CompleteRead(ref job, out var opened) != ReadStatus.ApplicationData || opened.Length != TextLength)
                    Assert.Fail("A record was not opened.");
            }
        }
    }
}
