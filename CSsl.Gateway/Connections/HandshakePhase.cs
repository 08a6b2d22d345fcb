using System.Buffers;
using CSsl.Gateway.Links;
using CSsl.Gateway.Metrics;
using CSsl.Gateway.Records;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Records;

namespace CSsl.Gateway.Connections;

/// <summary>
/// The second phase of a connection: a handshake silo talks with the client through us, in lock-step. What the silo did not consume stays in
/// the client's pipe, so bytes behind the client's Finished never travel twice. Until the client has got the first answer, its hello stays
/// there too: when the silo is lost before that, another one starts over.
/// </summary>
internal sealed class HandshakePhase(ClientSocket socket, ConnectionEntry entry, ConnectionInterrupt interrupt, SiloLinks links, LimitsOptions limits, GatewayMeters meters, TimeProvider time)
{
    /// <summary>Silos that are tried for one client.</summary>
    private const int MaxSilos = 3;

    /// <summary>The most that one exchange carries, behind the hello, which goes in one: bounds a lane's turn. A small record costs OpenSSL about a microsecond.</summary>
    private const int MaxRecords = 256;

    private const int MaxBytes = RecordHeader.Size + RecordHeader.MaxCiphertext12;

    private int _sent;

    /// <summary>The link with the silo that the session's capsule is sealed for: it serves the session without asking the cluster first. Null when there was none.</summary>
    public SiloLink? DataSilo { get; private set; }

    /// <summary>The session, or why there is none.</summary>
    /// <exception cref="IOException">The client is gone; so say other exceptions of its pipe too.</exception>
    public async Task<(Established? Session, Refusal? Refusal)> RunAsync(ClientHello hello)
    {
        List<string>? tried = null;
        while (links.Pick(SiloRoles.Handshake, tried) is { } silo && (tried?.Count ?? 0) < MaxSilos)
        {
            var channel = new HandshakeChannel(socket.Output, socket.Input.CancelPendingRead);
            entry.Silo = silo.Name;
            entry.Phase = ConnectionPhase.Hello;
            try
            {
                interrupt.Watch(channel);
                var (session, refusal) = await DriveAsync(silo, channel, hello);
                if (refusal is not { Reason: RefusalReason.SiloLost } || channel.HasDelivered)
                    return (session, refusal is null ? null : refusal with { Detail = Describe(hello, silo.Name, refusal.Detail) });
            }
            finally
            {
                interrupt.Watch(null);
                channel.Close();
            }

            (tried ??= []).Add(silo.Name);
        }

        return (null, Refusal.WithAlert(RefusalReason.NoHandshakeSilo, AlertDescription.InternalError, tried is null ? "" : "tried " + string.Join(", ", tried)));
    }

    /// <summary>Opens the channel with the hello.</summary>
    /// <returns>The answer; what is consumed is counted in what the client sent.</returns>
    private async ValueTask<HandshakeReply> OpenAsync(SiloLink silo, HandshakeChannel channel, ClientHello hello, ReadOnlySequence<byte> records)
    {
        meters.CountHandshakeStarted();
        var left = limits.HandshakeTime - time.GetElapsedTime(entry.AcceptedAt);
        DataSilo = links.Pick(SiloRoles.Data);
        var start = new HandshakeStart(entry.Id, entry.Client, Math.Max(1, (int)Math.Min(left.TotalMilliseconds, int.MaxValue)), DataSilo?.Name);
        var length = ClientHelloRecords.LengthOf(hello);
        if (length == records.Length)
            return await channel.OpenAsync(silo, start.Encode(), records);

        var whole = ArrayPool<byte>.Shared.Rent(length);
        ClientHelloRecords.Write(hello, records, whole.AsSpan(0, length));
        var answer = channel.OpenAsync(silo, start.Encode(), new ReadOnlySequence<byte>(whole, 0, length));
        ArrayPool<byte>.Shared.Return(whole); // the link has copied it
        var reply = await answer;
        return reply with { Consumed = reply.Consumed == length ? hello.RecordBytes : 0 };
    }

    private async ValueTask<(Established? Session, Refusal? Refusal)> DriveAsync(SiloLink silo, HandshakeChannel channel, ClientHello hello)
    {
        _sent = 0;

        // Bytes at the start of the pipe that the silo has consumed and the client's first answer will release.
        var kept = 0;
        while (true)
        {
            var result = await socket.Input.ReadAsync();
            var buffer = result.Buffer;
            if (interrupt.Reason is { } reason)
                return End(buffer, new Refusal(reason));
            if (channel.IsEnded)
                return End(buffer, new Refusal(RefusalReason.SiloLost));

            var rest = buffer.Slice(kept);
            var isFirst = _sent == 0;
            var run = isFirst
                ? new RecordRun(hello.RecordBytes, 1, RecordStatus.Complete)
                : RecordRun.Find(rest, entry.Phase, RecordRouter.MaxLength(entry.Phase), MaxBytes, MaxRecords);
            if (run.Count == 0)
            {
                if (run.Refusal is { } alert)
                    return End(buffer, Refusal.WithAlert(RefusalReason.Malformed, alert, ForeignProtocol.FirstOctets(rest)));
                if (run.Next != RecordStatus.NeedMore)
                    return End(buffer, Refusal.WithAlert(RefusalReason.Malformed, RecordHeader.AlertFor(run.Next), ForeignProtocol.FirstOctets(rest)));
                if (result.IsCompleted)
                    return End(buffer, new Refusal(RefusalReason.ClientGone));

                socket.Input.AdvanceTo(buffer.Start, buffer.End);
                continue;
            }

            if ((_sent += run.Bytes) > limits.HandshakeBytes)
                return End(buffer, Refusal.WithAlert(RefusalReason.HandshakeTooLong, AlertDescription.DecodeError));

            var records = rest.Slice(0, run.Bytes);
            var reply = await (isFirst ? OpenAsync(silo, channel, hello, records) : channel.ExchangeAsync(records));
            if (reply.Written > 0 && !CanWait(reply, rest) && await socket.Output.FlushAsync() is { IsCompleted: true })
                return End(buffer, new Refusal(RefusalReason.ClientGone));
            if (Judge(reply, run) is { } refusal)
                return End(buffer, refusal);

            var consumed = kept + reply.Consumed;
            kept = channel.HasDelivered || reply.Established is not null ? 0 : consumed;
            socket.Input.AdvanceTo(buffer.GetPosition(consumed - kept));
            if (channel.HasDelivered)
                entry.Phase = ConnectionPhase.Handshake;
            if (reply.Established is not null)
                return (reply.Established, null);
        }
    }

    /// <summary>True for the tickets of TLS 1.3 when the client's request is here already: they leave with its answer, in one segment.
    /// The client's side of that handshake is complete, so it waits for nothing else.</summary>
    private static bool CanWait(in HandshakeReply reply, in ReadOnlySequence<byte> rest)
        => reply.Established is { Version: TlsVersion.Tls13 } && rest.Length - reply.Consumed > RecordHeader.Size;

    /// <summary>Null: the handshake goes on, or is complete.</summary>
    private Refusal? Judge(in HandshakeReply reply, in RecordRun run) => reply.Outcome switch
    {
        HandshakeOutcome.Interrupted => new Refusal(interrupt.Reason ?? RefusalReason.Stopping),
        HandshakeOutcome.Lost => new Refusal(RefusalReason.SiloLost),
        HandshakeOutcome.Failed => new Refusal(ReasonOf(reply.Failure), Detail: reply.Detail),
        HandshakeOutcome.Established when reply.Consumed <= run.Bytes => null,
        HandshakeOutcome.Continue when reply.Consumed == run.Bytes => null,
        _ => new Refusal(RefusalReason.SiloLost, Detail: $"consumed {reply.Consumed} of {run.Bytes} bytes"),
    };

    private static RefusalReason ReasonOf(HandshakeFailure failure) => failure switch
    {
        HandshakeFailure.NoSharedVersion => RefusalReason.ProtocolVersion,
        HandshakeFailure.NoSharedCipherSuite => RefusalReason.NoSharedCipherSuite,
        HandshakeFailure.NoSharedGroup => RefusalReason.NoSharedGroup,
        HandshakeFailure.NoSharedCertificate => RefusalReason.NoSharedCertificate,
        HandshakeFailure.NoSharedProtocol => RefusalReason.NoSharedProtocol,
        HandshakeFailure.BadRecord => RefusalReason.BadRecord,
        HandshakeFailure.Malformed => RefusalReason.Malformed,
        HandshakeFailure.ClientCertificate => RefusalReason.ClientCertificate,
        HandshakeFailure.ClientAlert => RefusalReason.ClientAlert,
        HandshakeFailure.Deadline => RefusalReason.HandshakeTimeout,
        HandshakeFailure.LaneFull => RefusalReason.TooManyHandshakes,
        _ => RefusalReason.HandshakeFailed,
    };

    /// <summary>The pipe is left as it was: the next silo, or nobody, reads what is there.</summary>
    private (Established?, Refusal) End(in ReadOnlySequence<byte> buffer, Refusal refusal)
    {
        socket.Input.AdvanceTo(buffer.Start);
        return (null, refusal);
    }

    private static string Describe(ClientHello hello, string silo, string detail)
        => $"{(hello.ServerName is { } name ? $"for {name} " : "")}at {silo}{(detail.Length > 0 ? ", " : "")}{detail}";
}
