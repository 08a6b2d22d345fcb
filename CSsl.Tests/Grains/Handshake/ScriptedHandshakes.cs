using System.Buffers;
using System.Text;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Sessions;

namespace CSsl.Tests.Grains.Handshake;

/// <summary>Handshakes that do what a test says, and note what they are given.</summary>
internal sealed class ScriptedHandshakes : IServerHandshakeFactory
{
    public List<ScriptedHandshake> Made { get; } = [];

    /// <summary>Every handshake's steps; the last one repeats.</summary>
    public Queue<Func<ScriptedHandshake, HandshakeStep>> Steps { get; init; } = new();

    /// <summary>Clients that offer a session id are asked to wait for its session.</summary>
    public bool ResumesById { get; init; }

    /// <summary>False: the silo has lost the role, and its keys.</summary>
    public bool IsOpen { get; set; } = true;

    public bool CanResume(ClientHello hello) => ResumesById && hello.SessionId.Length > 0;

    public IServerHandshake Create(ClientHello hello, ReadOnlySpan<byte> stored = default)
    {
        var made = new ScriptedHandshake(hello, new Queue<Func<ScriptedHandshake, HandshakeStep>>(Steps)) { Stored = stored.ToArray() };
        Made.Add(made);
        return made;
    }

    public void Dispose()
    {
    }
}

internal sealed class ScriptedHandshake(ClientHello hello, Queue<Func<ScriptedHandshake, HandshakeStep>> steps) : IServerHandshake
{
    private IBufferWriter<byte>? _output;

    public ClientHello Hello { get; } = hello;

    /// <summary>The session that was found for it.</summary>
    public byte[] Stored { get; init; } = [];

    /// <summary>The session that it made.</summary>
    public ResumableSession? Resumable { get; set; }

    public byte[] LastInput { get; private set; } = [];

    public bool IsDisposed { get; private set; }

    public HandshakeStep Advance(ReadOnlySpan<byte> records, IBufferWriter<byte> output)
    {
        LastInput = records.ToArray();
        _output = output;
        return (steps.Count > 1 ? steps.Dequeue() : steps.Peek())(this);
    }

    /// <summary>Consumes all of the input and answers with this.</summary>
    public HandshakeStep NeedMore(string flight) => Write(HandshakeStatus.NeedMore, flight);

    public HandshakeStep Complete(string flight) => Write(HandshakeStatus.Complete, flight);

    public HandshakeStep Fail(string flight, string error, HandshakeFailure failure = HandshakeFailure.Malformed) => Write(HandshakeStatus.Failed, flight) with { Error = error, Failure = failure };

    public NamedGroup? Group => NamedGroup.X25519;

    public ExportedSession Export()
    {
        var session = TestSessions.Create(CipherSuite.EcdheRsaAes128GcmSha256);
        return session;
    }

    public ResumableSession? TakeResumable() => Resumable;

    public void Dispose() => IsDisposed = true;

    private HandshakeStep Write(HandshakeStatus status, string flight)
    {
        _output!.Write(Encoding.ASCII.GetBytes(flight));
        return new HandshakeStep(status, LastInput.Length, flight.Length);
    }
}
