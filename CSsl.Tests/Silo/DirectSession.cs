using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using CSsl.Link;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;

namespace CSsl.Tests.Silo;

/// <summary>A session without a handshake: its secrets are known to the test, which plays the client record by record, and the gateway.</summary>
internal sealed class DirectSession : IAsyncDisposable
{
    private readonly List<byte> _received = [];

    private DirectSession(GatewayChannel channel, TestClient client, Guid sessionId, GatewayBooks books)
        => (Channel, Client, SessionId, Books) = (channel, client, sessionId, books);

    /// <summary>An attach that no silo would open.</summary>
    public static Attach SampleAttach => new()
    {
        SessionId = Guid.Empty,
        Capsule = new byte[1],
        ClientSequence = 0,
        ServerSequence = 0,
        ConnectionId = 1,
        Client = TestGateway.ClientAddress,
        Server = TestGateway.ServerAddress,
    };

    /// <summary>At the silo that has the session now.</summary>
    public GatewayChannel Channel { get; private set; }

    /// <summary>What the gateway knows of it.</summary>
    public GatewayBooks Books { get; }

    public TestClient Client { get; }

    public Guid SessionId { get; }

    public static DirectSession Attach(
        TestSilo silo, CipherSuite suite = CipherSuite.Aes128GcmSha256, bool encryptThenMac = false, TestGateway? gateway = null, Guid? sessionId = null, IPEndPoint? from = null, TimeSpan age = default, uint generation = 1)
    {
        var id = sessionId ?? Guid.NewGuid();
        var attach = NewAttach(silo, id, suite, encryptThenMac, age);
        attach = attach with { Client = from ?? attach.Client, Generation = generation };
        var books = new GatewayBooks(attach);
        var channel = (gateway ?? silo.Gateway).Attach(attach, books);
        return new DirectSession(channel, new TestClient(NewSession(suite, encryptThenMac)), id, books);
    }

    /// <summary>The session goes on at another silo, or at the same again.</summary>
    public async Task GoOnAtAsync(TestSilo silo, AttachCause cause, bool isReplayable = true)
    {
        Books.Lose();
        Channel.Drop();
        while (await TryReceiveAsync())
        {
        }

        var (attach, records) = Books.Next(cause, isReplayable);
        Channel = silo.Gateway.Attach(attach, Books, Channel.ReturnsAtOnce);
        if (records.Length > 0)
            await Channel.ReplayAsync(records);
    }

    public static Attach NewAttach(TestSilo silo, Guid sessionId, CipherSuite suite = CipherSuite.Aes128GcmSha256, bool encryptThenMac = false, TimeSpan age = default)
    {
        using var sealer = silo.NewSealer(age);
        return NewAttach(sealer, sessionId, NewSession(suite, encryptThenMac));
    }

    /// <param name="sealer">Seals the capsule.</param>
    /// <param name="sessionId">The session's id.</param>
    /// <param name="session">Consumed.</param>
    public static Attach NewAttach(Sealer sealer, Guid sessionId, ExportedSession session)
    {
        return new Attach
        {
            SessionId = sessionId,
            ClientSequence = session.ClientSequence,
            ServerSequence = session.ServerSequence,
            Capsule = sealer.Seal(session, sessionId),
            ConnectionId = 1,
            Client = TestGateway.ClientAddress,
            Server = TestGateway.ServerAddress,
        };
    }

    public Task SendRequestAsync(string text) => Channel.SendAsync(Client.Seal(ContentType.ApplicationData, Encoding.ASCII.GetBytes(text)));

    /// <summary>Opens records that must be application data; returns the length of their content.</summary>
    public int Open(ReadOnlySpan<byte> records) => OpenAll(records).Sum(static record => record.Type == ContentType.ApplicationData ? record.Content.Length : throw new InvalidOperationException($"{record.Type}"));

    public List<(ContentType Type, byte[] Content)> OpenAll(ReadOnlySpan<byte> records)
    {
        var opened = new List<(ContentType, byte[])>();
        while (!records.IsEmpty)
        {
            var length = RecordHeader.Size + ((records[3] << 8) | records[4]);
            opened.Add(Client.Open(records[..length]));
            records = records[length..];
        }

        return opened;
    }

    /// <summary>The next records that come, opened; their credit is returned.</summary>
    public async Task<List<(ContentType Type, byte[] Content)>> NextAsync()
    {
        var records = await Channel.NextAsync() ?? throw new EndOfStreamException($"The silo closed the channel: {await Channel.Closed}.");
        Channel.Return(records.Length);
        return OpenAll(records);
    }

    /// <summary>What the client has got in all: application data over all silos.</summary>
    public string Received => Encoding.Latin1.GetString(CollectionsMarshal.AsSpan(_received));

    /// <summary>How the server ended the connection: close_notify, another alert, or null.</summary>
    public AlertDescription? Alert { get; private set; }

    /// <summary>KeyUpdates of the server.</summary>
    public int KeyUpdates { get; private set; }

    /// <summary>Takes records as a client would, until <see cref="Received"/> satisfies; returns it.</summary>
    /// <exception cref="EndOfStreamException">The channel ended before.</exception>
    public async Task<string> ReceiveUntilAsync(Func<string, bool> isEnough)
    {
        while (!isEnough(Received))
        {
            if (!await TryReceiveAsync())
                throw new EndOfStreamException($"The silo closed the channel ({await Channel.Closed}) after \"{Received}\".");
        }

        return Received;
    }

    /// <summary>Takes records until the channel ends.</summary>
    public async Task<CloseReason?> ReceiveToTheEndAsync()
    {
        while (await TryReceiveAsync())
        {
        }

        return await Channel.Closed;
    }

    private async Task<bool> TryReceiveAsync()
    {
        if (await Channel.NextAsync() is not { } records)
            return false;
        Channel.Return(records.Length);
        for (ReadOnlyMemory<byte> rest = records; !rest.IsEmpty;)
        {
            var length = RecordHeader.Size + ((rest.Span[3] << 8) | rest.Span[4]);
            var (type, content) = Client.Open(rest.Span[..length]);
            rest = rest[length..];
            switch (type)
            {
                case ContentType.ApplicationData:
                    _received.AddRange(content);
                    break;
                case ContentType.Handshake:
                    Client.Reader.UpdateKey();
                    KeyUpdates++;
                    break;
                default:
                    Alert = (AlertDescription)content[1];
                    break;
            }
        }

        return true;
    }

    /// <summary>Reads application data until it ends with this text; returns all of it.</summary>
    public async Task<string> ReadTextUntilAsync(string end)
    {
        var text = new StringBuilder();
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            foreach (var (type, content) in await NextAsync())
            {
                if (type != ContentType.ApplicationData)
                    throw new InvalidOperationException($"A record of type {type} after \"{text}\".");
                text.Append(Encoding.ASCII.GetString(content));
            }
        }

        return text.ToString();
    }

    public ValueTask DisposeAsync()
    {
        Client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>What a handshake would have exported. The explicit nonce is TLS 1.2 GCM's alone: a capsule holds nothing that its suite has no use for.</summary>
    public static ExportedSession NewSession(CipherSuite suite, bool encryptThenMac = false, DateTimeOffset? createdAt = null)
    {
        var session = TestSessions.Create(suite, encryptThenMac);
        return CipherSuiteInfo.Get(suite) is { Version: TlsVersion.Tls12, IsAead: true } && !suite.ToString().Contains("ChaCha20", StringComparison.Ordinal)
            ? session
            : new ExportedSession
            {
                Version = session.Version,
                CipherSuite = suite,
                ClientSecret = session.ClientSecret,
                ServerSecret = session.ServerSecret,
                ExporterSecret = session.ExporterSecret,
                ClientRandom = session.ClientRandom,
                ServerRandom = session.ServerRandom,
                ClientSequence = session.ClientSequence,
                ServerSequence = session.ServerSequence,
                EncryptThenMac = encryptThenMac,
                CreatedAt = createdAt ?? session.CreatedAt,
            };
    }
}
