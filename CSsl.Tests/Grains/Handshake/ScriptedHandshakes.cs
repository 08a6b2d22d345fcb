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

    public IServerHandshake Create(ClientHello hello)
    {
        var made = new ScriptedHandshake(hello, new Queue<Func<ScriptedHandshake, HandshakeStep>>(Steps));
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

    public HandshakeStep Fail(string flight, string error) => Write(HandshakeStatus.Failed, flight) with { Error = error };

    public ExportedSession Export()
    {
        var session = TestSessions.Create(CipherSuite.EcdheRsaAes128GcmSha256);
        return session;
    }

    public void Dispose() => IsDisposed = true;

    private HandshakeStep Write(HandshakeStatus status, string flight)
    {
        _output!.Write(Encoding.ASCII.GetBytes(flight));
        return new HandshakeStep(status, LastInput.Length, flight.Length);
    }
}
