using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Silo.Exchanges;
using CSsl.Silo.Handshake;
using CSsl.Silo.Lifecycle;
using CSsl.Silo.Sessions;
using CSsl.Tls.Engines;
using CSsl.Tls.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Transport;

/// <summary>What all connections of a silo share.</summary>
internal sealed partial class TlsConnectionHost(
    Sealer sealer,
    IRecordEngine engine,
    DecryptedListener listener,
    SessionTable sessions,
    SessionClaims claims,
    ResumptionStore resumption,
    SiloStatus status,
    DataMetrics metrics,
    IMemoryPoolFactory<byte> pools,
    TimeProvider time,
    IOptions<SiloOptions> silo,
    IOptions<LimitsOptions> limits,
    IOptions<ClusterOptions> cluster,
    ILogger<TlsConnection> logger)
{
    /// <summary>How far the clocks of two silos may be apart.</summary>
    internal static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    /// <summary>How long an attach waits for its grain.</summary>
    internal static readonly TimeSpan ClaimTime = TimeSpan.FromSeconds(2);

    /// <summary>How long a takeover does: the grain is where the session was, and may be lost with it.</summary>
    internal static readonly TimeSpan TakeoverClaimTime = TimeSpan.FromMilliseconds(500);

    /// <summary>How long after its handshake a session may be taken by the silo that its capsule is sealed for without a question: longer than a gateway looks for a silo.</summary>
    internal static readonly TimeSpan FreshTime = TimeSpan.FromSeconds(10);

    /// <summary>How far the clock of a handshake silo may be off for that. Together with <see cref="FreshTime"/> not more than the table of sessions remembers.</summary>
    internal static readonly TimeSpan FreshTolerance = TimeSpan.FromSeconds(5);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    // While grains don't answer, clients don't wait for them one after the other.
    private readonly Breaker _claiming = new(time);

    /// <summary>Makes the keys that the aggregator's calls work with.</summary>
    public IRecordEngine Engine { get; } = engine;

    public DecryptedListener Listener { get; } = listener;

    public SessionTable Sessions { get; } = sessions;

    public DataMetrics Metrics { get; } = metrics;

    public MemoryPool<byte> Pool { get; } = pools.Create();

    public TimeProvider Time { get; } = time;

    public string SiloName { get; } = silo.Value.Name;

    /// <summary>The session of a connection that ended with a fatal alert: it is not resumed again (RFC 5246 section 7.2.2).</summary>
    public void Invalidate(ReadOnlyMemory<byte> resumptionId)
    {
        if (!resumptionId.IsEmpty)
            resumption.Remove(resumptionId);
    }

    /// <summary>False while the silo lets its sessions go.</summary>
    public bool TakesSessions => status.Takes(SiloRoles.Data);

    private bool HasRoom => TakesSessions && Sessions.Count < limits.Value.Connections;

    /// <summary>Opens the session that a gateway wants served, at the sequence numbers that the gateway's counters say.</summary>
    /// <param name="attach">What the gateway sent.</param>
    /// <param name="session">The caller's to dispose.</param>
    /// <param name="refusal">When this returns false: what to tell the gateway.</param>
    public bool TryOpen(Attach attach, [NotNullWhen(true)] out ExportedSession? session, out CloseReason refusal)
    {
        session = null;
        refusal = CloseReason.Refused;
        if (!HasRoom)
            return false;

        try
        {
            session = sealer.Open(attach.Capsule.Span, attach.SessionId);
        }
        catch (SealedSessionException e)
        {
            LogBadCapsule(attach.SessionId, e.Message);
            refusal = CloseReason.BadCapsule;
            return false;
        }

        var age = AgeOf(session.SealedAt);
        if (age > cluster.Value.CapsuleLifetime || age < -ClockTolerance)
        {
            LogTooOld(attach.SessionId, session.SealedAt);
            session.Dispose();
            session = null;
            refusal = CloseReason.TooOld;
            return false;
        }

        // Never back to a sequence number that was used before.
        if (attach.ClientSequence < session.ClientSequence || attach.ServerSequence < session.ServerSequence)
        {
            session.Dispose();
            session = null;
            return false;
        }

        session.ClientSequence = attach.ClientSequence;
        session.ServerSequence = attach.ServerSequence;
        session.SkipNonces(attach.Takeovers);
        return true;
    }

    /// <summary>True when nobody but this silo may have served the session yet, and this silo has not: its capsule was sealed for this silo, a moment ago, and while this silo was there
    /// to remember it.</summary>
    public bool IsFirstHere(Attach attach, ExportedSession session)
        => attach is { Cause: AttachCause.First, Generation: 1 }
            && session.DataSilo == SiloName
            && AgeOf(session.CreatedAt) is var age && age <= FreshTime && age >= -FreshTolerance
            && session.CreatedAt - FreshTolerance > _startedAt;

    /// <summary>Asks whether the attach is the only one. A grain that can't be reached refuses nothing.</summary>
    /// <param name="session">The attach.</param>
    /// <param name="createdAt">The end of its handshake.</param>
    /// <param name="firstSilo">The silo that its first capsule was sealed for, or null.</param>
    public async Task<AttachVerdict> ClaimAsync(IServedSession session, DateTimeOffset createdAt, string? firstSilo)
    {
        var isTakeover = session.IsTakeover;
        try
        {
            if (!isTakeover && !_claiming.IsClosed)
                throw new TimeoutException();

            // In its first moments a session may be at that silo without a grain.
            var askAt = AgeOf(createdAt) <= silo.Value.SessionGrainAfter + (2 * FreshTime) ? firstSilo : null;
            var verdict = await claims.AttachAsync(session, askAt, CancellationToken.None).AsTask().WaitAsync(isTakeover ? TakeoverClaimTime : ClaimTime, Time);
            _claiming.Worked();
            return verdict;
        }
        catch (Exception e)
        {
            if (!isTakeover)
                _claiming.Failed();

            // Later the registrar tries until it hears.
            Metrics.CountUnclaimed();
            LogUnclaimed(session.Info.SessionId, ClusterTrouble.ReasonOf(e));
            return new AttachVerdict { IsGranted = true };
        }
    }

    /// <summary>Seals a session for its gateway; it is consumed.</summary>
    public ReadOnlyMemory<byte> Seal(ExportedSession session, Guid sessionId) => sealer.Seal(session, sessionId);

    /// <summary>The same session, sealed now: for TLS 1.2, whose capsule is that of the handshake for life.</summary>
    /// <returns>Empty when it can't be opened any more.</returns>
    public ReadOnlyMemory<byte> Renew(ReadOnlyMemory<byte> capsule, Guid sessionId)
    {
        try
        {
            return sealer.Seal(sealer.Open(capsule.Span, sessionId), sessionId);
        }
        catch (SealedSessionException e)
        {
            LogNotRenewed(sessionId, e.Message);
            return default;
        }
    }

    /// <summary>True when a capsule is to be sealed anew: half of its life is over, or others seal under another key by now.</summary>
    public bool IsRenewalDue(ReadOnlyMemory<byte> capsule, DateTimeOffset sealedAt) => AgeOf(sealedAt) > cluster.Value.CapsuleLifetime / 2 || !sealer.IsCurrent(capsule.Span);

    /// <summary>Seals a note for the gateway.</summary>
    public byte[] Seal(ExchangeNote note, Guid sessionId) => note.Seal(sealer, sessionId);

    /// <summary>Where the client stands; null unless the session's silo was lost.</summary>
    public Takeover? ReadTakeover(Attach attach)
    {
        if (attach.Cause != AttachCause.Takeover)
            return null;
        var note = attach.Response.IsEmpty ? null : ExchangeNote.TryOpen(sealer, attach.Response.Span, attach.SessionId);
        if (attach.IsReplayable && note?.Checkpoint != attach.ClientSequence)
            note = null;
        if (note is null && !attach.Response.IsEmpty)
            LogBadNote(attach.SessionId);
        return new Takeover((long)attach.DeliveredBytes, note);
    }

    private TimeSpan AgeOf(DateTimeOffset sealedAt) => Time.GetUtcNow() - sealedAt;

    [LoggerMessage(Level = LogLevel.Debug, Message = "session {SessionId} of {Client} is attached ({Cause}): {Replayed} records come again, {Delivered} bytes were delivered since the checkpoint, the note says {Note}")]
    public partial void LogAttached(Guid sessionId, string client, AttachCause cause, int replayed, ulong delivered, NoteKind? note);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session {SessionId} of {Client} leaves ({Reason}) at record {ClientRecord} of the client's and {ServerRecord} of ours")]
    public partial void LogDetached(Guid sessionId, string client, DetachReason reason, ulong clientRecord, ulong serverRecord);

    [LoggerMessage(Level = LogLevel.Warning, Message = "session {SessionId} comes with a note that can't be opened here: the response under way can't go on")]
    private partial void LogBadNote(Guid sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "session {SessionId} can't be opened here: {Error}")]
    private partial void LogBadCapsule(Guid sessionId, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "session {SessionId} was too long under way to be sealed anew, and can't leave this silo any more: {Error}")]
    private partial void LogNotRenewed(Guid sessionId, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session {SessionId} is served before its grain has said that nobody else does: {Reason}")]
    private partial void LogUnclaimed(Guid sessionId, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session {SessionId} of {Gateway}: attach {Generation} is not the newest, and is not served any more")]
    public partial void LogSuperseded(Guid sessionId, string gateway, uint generation);

    [LoggerMessage(Level = LogLevel.Information, Message = "session {SessionId} was sealed at {SealedAt:u}, which is too long ago or in the future: it is not opened")]
    private partial void LogTooOld(Guid sessionId, DateTimeOffset sealedAt);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session {SessionId} of {Client} broke the protocol: {Error}")]
    public partial void LogProtocolError(Guid sessionId, string client, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session {SessionId} of {Client} ended ({Said}): {Cause}")]
    public partial void LogEnded(Guid sessionId, string client, CloseReason? said, string? cause);

    [LoggerMessage(Level = LogLevel.Error, Message = "session {SessionId} can't be begun")]
    public partial void LogNotBegun(Guid sessionId, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "session {SessionId}: the application failed when it was told that the connection is closed")]
    public partial void LogCallbackFailed(Guid sessionId, Exception error);
}
