using System.Buffers;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>A connection in memory: an OpenSSL client, our handshake, and after it what the handshake exported.</summary>
internal sealed class TestConnection : IDisposable
{
    private readonly OpenSslClient _client;
    private ExportedSession? _session;

    private TestConnection(OpenSslClient client, ExportedSession session, ResumableSession? resumable, NamedGroup? group)
    {
        Group = group;
        Resumable = resumable;
        _client = client;
        _session = session;
    }

    public OpenSslClient Client => _client;

    /// <summary>The group of the key exchange.</summary>
    public NamedGroup? Group { get; }

    /// <summary>What the client can come back with by its session id.</summary>
    public ResumableSession? Resumable { get; }

    /// <summary>What was exported, until <see cref="StartData"/> takes it.</summary>
    public ExportedSession Session => _session ?? throw new InvalidOperationException("The data phase has it.");

    /// <summary>Shakes hands to the end on both sides.</summary>
    /// <param name="factory">The server.</param>
    /// <param name="settings">The client.</param>
    /// <param name="authorityPath">Whom the client trusts.</param>
    /// <param name="find">Finds stored sessions by their id.</param>
    /// <exception cref="HandshakeFailedException">The server refused.</exception>
    public static TestConnection Establish(IServerHandshakeFactory factory, ClientSettings settings, string authorityPath, Func<byte[], byte[]?>? find = null)
    {
        var client = new OpenSslClient(settings, authorityPath);
        try
        {
            var flight = client.Handshake([]);
            Xunit.Assert.Equal(ClientHelloStatus.Complete, ClientHello.Peek(new ReadOnlySequence<byte>(flight), 1 << 16, out var hello, out _));
            using var handshake = factory.Create(hello!, factory.CanResume(hello!) ? find?.Invoke(hello!.SessionId.ToArray()) : null);
            while (true)
            {
                var (step, answer) = Advance(handshake, flight);
                if (step.Status == HandshakeStatus.Failed)
                    throw new HandshakeFailedException(step.Error!, answer);
                Xunit.Assert.Equal(flight.Length, step.Consumed);
                if (step.Status == HandshakeStatus.Complete)
                {
                    Xunit.Assert.Empty(client.Handshake(answer));
                    Xunit.Assert.True(client.IsConnected);
                    return new TestConnection(client, handshake.Export(), handshake.TakeResumable(), handshake.Group);
                }

                flight = client.Handshake(answer);
            }
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>One step; checks that the counts are true.</summary>
    public static (HandshakeStep Step, byte[] Output) Advance(IServerHandshake handshake, ReadOnlySpan<byte> records)
    {
        var output = new ArrayBufferWriter<byte>();
        var step = handshake.Advance(records, output);
        Xunit.Assert.Equal(step.Written, output.WrittenCount);
        Xunit.Assert.InRange(step.Consumed, 0, records.Length);
        return (step, output.WrittenSpan.ToArray());
    }

    /// <summary>Seals the session, opens the capsule as another silo would, and starts the data phase with it.</summary>
    public DataPhase StartData()
    {
        using var sealer = new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("test"))));
        var id = Guid.NewGuid();
        var capsule = sealer.Seal(Session, id);
        _session = null;
        return new DataPhase(sealer.Open(capsule, id));
    }

    /// <summary>Sends data from the client to the data phase; returns what it read.</summary>
    public byte[] ToServer(DataPhase data, ReadOnlySpan<byte> plaintext) => Open(data, _client.Write(plaintext));

    /// <summary>Opens records of the client, application data all of them.</summary>
    public static byte[] Open(DataPhase data, ReadOnlySpan<byte> records)
    {
        var received = new List<byte>();
        var buffer = new byte[20 * 1024];
        while (!records.IsEmpty)
        {
            var length = RecordHeader.Size + ((records[3] << 8) | records[4]);
            Xunit.Assert.Equal(ReadStatus.ApplicationData, data.Read(records[..length], buffer, out var written));
            received.AddRange(buffer.AsSpan(0, written));
            records = records[length..];
        }

        return [.. received];
    }

    /// <summary>Sends data from the data phase to the client, in records as large as may be; returns what the client read.</summary>
    public byte[] ToClient(DataPhase data, ReadOnlySpan<byte> plaintext)
    {
        var records = new List<byte>();
        var buffer = new byte[20 * 1024];
        while (!plaintext.IsEmpty)
        {
            var chunk = plaintext[..Math.Min(plaintext.Length, data.Writer.MaxPlaintext)];
            chunk.CopyTo(buffer.AsSpan(data.Writer.PrefixLength));
            records.AddRange(buffer.AsSpan(0, data.Writer.Seal(ContentType.ApplicationData, buffer, chunk.Length)));
            plaintext = plaintext[chunk.Length..];
        }

        return _client.Read(records.ToArray());
    }

    public void Dispose()
    {
        _client.Dispose();
        _session?.Dispose();
        Resumable?.Dispose();
    }
}
