using CSsl.Tls;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>The records after the handshake of RFC 8448 section 3, "Simple 1-RTT Handshake".</summary>
public sealed class Rfc8448Tests
{
    public const string ClientSecret = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
    public const string ServerSecret = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";

    private const string NewSessionTicketRecord =
        "17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a015940252f55713e061dc13e078891a38efbcf" +
        "5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e09c30ba1e62972ac46f75f7b981be63439b2999ce13064615139891d5e4c5b406f16e3fc181a7" +
        "7ca475840025db2f0a77f81b5ab05b94c01346755f69232c86519d86cbeeac87aac347d143f9605d64f650db4d023e70e952ca49fe5137121c74bc2697687e248746d6" +
        "df353005f3bce18696129c8153556b3b6c6779b37bf15985684f";
    private const string ClientDataRecord = "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
    private const string ServerDataRecord = "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d";
    private const string ClientCloseRecord = "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";
    private const string ServerCloseRecord = "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9";

    private static readonly byte[] Payload = [.. Enumerable.Range(0, 50).Select(n => (byte)n)];

    [Fact]
    public void Client_records_are_opened()
    {
        using var server = new DataPhase(Session(serverSequence: 1));
        var plaintext = new byte[128];

        Assert.Equal(ReadStatus.ApplicationData, server.Read(Convert.FromHexString(ClientDataRecord), plaintext, out var written));
        Assert.Equal(Payload, plaintext[..written]);
        Assert.Equal(ReadStatus.CloseNotify, server.Read(Convert.FromHexString(ClientCloseRecord), plaintext, out _));
        Assert.Equal(2UL, server.RecordsOpened);
    }

    [Fact]
    public void Server_records_are_sealed()
    {
        // The handshake sent one NewSessionTicket under these keys.
        using var server = new DataPhase(Session(serverSequence: 1));

        var data = TestClient.Seal(server.Writer, ContentType.ApplicationData, Payload);
        var close = new byte[DataPhase.ControlRoom];
        var closeLength = server.WriteAlert(AlertDescription.CloseNotify, close);

        Assert.Equal(ServerDataRecord, Convert.ToHexStringLower(data));
        Assert.Equal(ServerCloseRecord, Convert.ToHexStringLower(close.AsSpan(0, closeLength)));
    }

    [Fact]
    public void Server_records_are_opened_by_a_client()
    {
        using var client = new TestClient(Session(serverSequence: 0));

        var (ticketType, ticket) = client.Open(Convert.FromHexString(NewSessionTicketRecord));
        var (dataType, data) = client.Open(Convert.FromHexString(ServerDataRecord));
        var (closeType, close) = client.Open(Convert.FromHexString(ServerCloseRecord));

        Assert.Equal((ContentType.Handshake, 205), (ticketType, ticket.Length));
        Assert.Equal([4, 0, 0, 201], ticket[..4]);
        Assert.Equal(ContentType.ApplicationData, dataType);
        Assert.Equal(Payload, data);
        Assert.Equal(ContentType.Alert, closeType);
        Assert.Equal([1, 0], close);
    }

    private static ExportedSession Session(ulong serverSequence) => new()
    {
        Version = TlsVersion.Tls13,
        CipherSuite = CipherSuite.Aes128GcmSha256,
        ClientSecret = new SecretBytes(Convert.FromHexString(ClientSecret)),
        ServerSecret = new SecretBytes(Convert.FromHexString(ServerSecret)),
        ServerSequence = serverSequence,
        CreatedAt = DateTimeOffset.UnixEpoch,
    };
}
