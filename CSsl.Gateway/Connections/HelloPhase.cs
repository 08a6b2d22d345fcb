using System.IO.Pipelines;
using CSsl.Gateway.Admission;
using CSsl.Hosting.Configuration;
using CSsl.Tls;
using CSsl.Tls.Handshake;

namespace CSsl.Gateway.Connections;

/// <summary>The first phase of a connection: waits for the ClientHello and looks at it. Consumes nothing: the hello stays in the client's pipe.</summary>
internal sealed class HelloPhase(ClientSocket socket, ConnectionInterrupt interrupt, LimitsOptions limits, HelloMemory memory, Action onFirstByte)
{
    private readonly ClientHelloReader _reader = new(limits.HandshakeBytes);
    private long _held;

    /// <summary>What the hello takes of the memory for hellos, to be released when it is in the client's pipe no more.</summary>
    public long Held => _held;

    /// <summary>The hello, or why there is none.</summary>
    /// <exception cref="IOException">The client is gone; so say other exceptions of its pipe too.</exception>
    public async Task<(ClientHello? Hello, Refusal? Refusal)> RunAsync()
    {
        var hasFirstByte = false;
        while (true)
        {
            var result = await socket.Input.ReadAsync();
            var buffer = result.Buffer;
            if (!hasFirstByte && !buffer.IsEmpty)
            {
                hasFirstByte = true;
                onFirstByte();
            }

            var (isDecided, hello, refusal) = Look(result);
            socket.Input.AdvanceTo(buffer.Start, isDecided ? buffer.Start : buffer.End);
            if (isDecided)
                return (hello, refusal);
        }
    }

    private (bool IsDecided, ClientHello? Hello, Refusal? Refusal) Look(in ReadResult result)
    {
        var buffer = result.Buffer;
        if (interrupt.Reason is { } reason)
            return (true, null, new Refusal(reason, Detail: buffer.IsEmpty ? "" : ForeignProtocol.FirstOctets(buffer)));

        if (!memory.TryHold(buffer.Length, ref _held))
            return (true, null, Refusal.WithAlert(RefusalReason.HelloMemory, AlertDescription.InternalError));

        switch (_reader.Peek(buffer, out var hello, out var alert))
        {
            case ClientHelloStatus.Complete when !hello!.OffersSupportedVersion:
                return (true, null, Refusal.WithAlert(RefusalReason.ProtocolVersion, AlertDescription.ProtocolVersion, Offer(hello)));
            case ClientHelloStatus.Complete:
                return (true, hello, null);
            case ClientHelloStatus.Refused:
                return (true, null, Refusal.WithAlert(RefusalReason.Malformed, alert, ForeignProtocol.FirstOctets(buffer)));
            case ClientHelloStatus.NotTls when alert != AlertDescription.CloseNotify:
                return (true, null, Refusal.WithAlert(RefusalReason.ProtocolVersion, alert, ForeignProtocol.FirstOctets(buffer)));
            case ClientHelloStatus.NotTls when ForeignProtocol.IsHttp(buffer) is var isHttp && (isHttp is not null || result.IsCompleted):
                return (true, null, isHttp == true
                    ? new Refusal(RefusalReason.PlainHttp, ForeignProtocol.HttpAnswer)
                    : new Refusal(RefusalReason.NotTls, Detail: ForeignProtocol.FirstOctets(buffer)));
            default:
                if (result.IsCompleted)
                    return (true, null, new Refusal(RefusalReason.ClientGone, Detail: buffer.IsEmpty ? "" : ForeignProtocol.FirstOctets(buffer)));
                if (buffer.Length > limits.HandshakeBytes)
                    return (true, null, Refusal.WithAlert(RefusalReason.HandshakeTooLong, AlertDescription.DecodeError));
                return default;
        }
    }

    private static string Offer(ClientHello hello)
        => (hello.ServerName is { } name ? $"for {name}, " : "") + "offers " + string.Join(' ', hello.SupportedVersions.Take(8).Select(static version => $"{version:X4}"));
}
