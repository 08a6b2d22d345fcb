using System.Text;
using CSsl.Tls;
using CSsl.Tls.Keys;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Records;

public sealed class RecordedSessionTests
{
    private const byte FinishedMessage = 20;

    public static TheoryData<int> Indexes => [.. Enumerable.Range(0, RecordedSessions.All.Count)];

    [Fact]
    public void There_is_a_recorded_session_of_every_suite()
    {
        Assert.Equal(CipherSuiteInfo.All.Select(suite => suite.Suite).Order(), RecordedSessions.All.Select(session => session.Suite).Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Records_of_openssl_are_opened(int index)
    {
        var recorded = RecordedSessions.All[index];
        using var server = new DataPhase(recorded.Export());
        using var client = new TestClient(recorded.Export());
        var record = Convert.FromHexString(recorded.ClientRecord);
        var plaintext = new byte[record.Length];

        Assert.Equal(ReadStatus.ApplicationData, server.Read(record, plaintext, out var written));
        Assert.Equal(RecordedSession.ClientLine, Encoding.ASCII.GetString(plaintext, 0, written));

        var (type, content) = client.Open(Convert.FromHexString(recorded.ServerRecord));
        Assert.Equal(ContentType.ApplicationData, type);
        Assert.Equal(RecordedSession.ServerLine, Encoding.ASCII.GetString(content));
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Records_are_sealed_as_openssl_sealed_them(int index)
    {
        var recorded = RecordedSessions.All[index];
        using var server = new DataPhase(recorded.Export());

        var record = TestClient.Seal(server.Writer, ContentType.ApplicationData, Encoding.ASCII.GetBytes(RecordedSession.ServerLine));

        if (recorded.Info.IsAead)
            Assert.Equal(recorded.ServerRecord, Convert.ToHexStringLower(record));
        else
            Assert.Equal(recorded.ServerRecord.Length / 2, record.Length); // the IV is random
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Finished_is_the_record_of_sequence_number_0_in_tls_1_2(int index)
    {
        var recorded = RecordedSessions.All[index];
        if (recorded.Info.Version == TlsVersion.Tls13)
            return;
        using var session = recorded.Export(afterFinished: false);
        var (reader, writer) = RecordStates.Create(session, TlsEndpoint.Server);
        using var client = new TestClient(recorded.Export(afterFinished: false));
        using (reader)
        using (writer)
        {
            foreach (var (type, content) in (ReadOnlySpan<(ContentType, byte[])>)
                [
                    TestClient.Open(reader, Convert.FromHexString(recorded.ClientFinished)),
                    client.Open(Convert.FromHexString(recorded.ServerFinished)),
                ])
            {
                Assert.Equal(ContentType.Handshake, type);
                Assert.Equal([FinishedMessage, 0, 0, 12], content[..4]);
                Assert.Equal(16, content.Length);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Keying_material_is_exported_as_openssl_exported_it(int index)
    {
        var recorded = RecordedSessions.All[index];
        using var session = recorded.Export();
        using var exporter = new KeyingMaterialExporter(session);
        var exported = new byte[32];

        exporter.Export(RecordedSession.ExporterLabel, exported);

        Assert.Equal(recorded.Exported, Convert.ToHexStringLower(exported));
    }
}
