using CSsl.Tls;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Records;

public sealed class RecordStatesTests
{
    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Records_round_trip_in_both_directions(CipherSuite suite, bool encryptThenMac)
    {
        using var session = TestSessions.Create(suite, encryptThenMac);
        var (reader, writer) = RecordStates.Create(session, TlsEndpoint.Server);
        using var client = new TestClient(TestSessions.Create(suite, encryptThenMac));
        using (reader)
        using (writer)
        {
            foreach (var length in (int[])[0, 1, 15, 16, 17, 255, 256, 1000, RecordHeader.MaxPlaintext - 1, RecordHeader.MaxPlaintext, 3])
            {
                var content = TestSessions.Bytes(length, length);
                var up = client.Open(TestClient.Seal(writer, ContentType.ApplicationData, content));
                var down = TestClient.Open(reader, client.Seal(ContentType.ApplicationData, content));

                Assert.Equal(ContentType.ApplicationData, up.Type);
                Assert.Equal(content, up.Content);
                Assert.Equal(ContentType.ApplicationData, down.Type);
                Assert.Equal(content, down.Content);
            }
        }
    }
}
