using CSsl.Hosting.Configuration;
using CSsl.Tls.Handshake;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using Orleans.Timers;

namespace CSsl.Grains.Handshake;

/// <summary>
/// Makes the ticket keys and rotates them, by a timer of its own. A key is stored before it is shown to anybody, and shown to everybody before anybody issues
/// under it. While nothing can be stored, the keys stay as they are.
/// </summary>
public sealed partial class TicketKeyGrain(
    IGrainContext context,
    ITimerRegistry timers,
    [PersistentState("ticket-keys")] IPersistentState<TicketKeyState> stored,
    Sealer sealer,
    IOptions<ResumptionOptions> options,
    TimeProvider time,
    ILogger<TicketKeyGrain> logger) : Grain(context), ITicketKeyGrain, IDisposable
{
    /// <summary>Soon enough after the cluster has begun to seal under another key: the one before may be taken out of the files next.</summary>
    internal static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private IGrainTimer? _rotation;
    private TicketKeyRing? _ring;
    private long? _failedAt;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (stored.State.Ring.Length > 0)
                _ring = Open(stored.State.Ring);
        }
        catch (Exception e) when (e is SealedSessionException or FormatException)
        {
            // The sealing key was replaced, not rotated: those tickets are lost, the next ones need not be.
            LogUnreadable(e.Message);
        }

        _rotation = timers.RegisterGrainTimer(GrainContext, static (grain, _) => grain.OnTimerAsync(), this, new(CheckInterval, CheckInterval) { KeepAlive = true });
        await RotateAsync();
    }

    /// <inheritdoc/>
    public ValueTask<TicketKeyAnswer> GetKeys(CancellationToken cancellationToken) => _ring is { } ring
        ? ValueTask.FromResult(new TicketKeyAnswer { Ring = stored.State.Ring, Issuing = ring.IssuingAt(time.GetUtcNow()) })
        : throw new InvalidOperationException("The cluster's first ticket keys could not be stored yet.");

    /// <inheritdoc/>
    public void Dispose()
    {
        _rotation?.Dispose();
        _ring?.Dispose();
    }

    private async Task OnTimerAsync()
    {
        try
        {
            await RotateAsync();
        }
        catch (InconsistentStateException e)
        {
            _rotation?.Dispose();
            GrainContext.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationError, e, "another activation rotated the ticket keys"), CancellationToken.None);
        }
    }

    /// <summary>Stores the next ring if it is time for it.</summary>
    /// <exception cref="InconsistentStateException">Another activation wrote: this one is to end, the next one reads what is there.</exception>
    private Task RotateAsync()
    {
        if (_failedAt is { } failedAt && time.GetElapsedTime(failedAt) < options.Value.TicketKeyRefresh)
            return Task.CompletedTask;
        return Next(time.GetUtcNow()) is { } next ? StoreAsync(next) : Task.CompletedTask;
    }

    private TicketKeyRing? Next(DateTimeOffset now)
    {
        var (rotation, lead) = (options.Value.TicketKeyRotation, options.Value.TicketKeyLead);
        if (_ring is not { } ring)
            return TicketKeyRing.Start(now, lead);

        // The same keys, once the cluster seals under another key: the one that they are stored under may be taken out any day.
        return ring.Rotate(now, rotation, lead) ?? (sealer.IsCurrent(stored.State.Ring) ? null : ring.Copy());
    }

    private async Task StoreAsync(TicketKeyRing next)
    {
        var before = stored.State;
        try
        {
            using (var encoded = next.Encode())
                stored.State = new TicketKeyState { Ring = sealer.Seal(TicketKeyRing.Purpose, encoded.Span) };
            await stored.WriteStateAsync();
            var newest = _ring?.Keys[0].DisplayName;
            _ring?.Dispose();
            _ring = next;
            _failedAt = null;
            if (next.Keys[0].DisplayName != newest)
                LogRotated(next.Keys[0].DisplayName, next.Keys[0].IssueFrom);
        }
        catch (Exception e)
        {
            next.Dispose();
            stored.State = before;
            if (e is InconsistentStateException)
                throw;
            if (_failedAt is null)
                LogNotStored(e.Message);
            _failedAt = time.GetTimestamp();
        }
    }

    private TicketKeyRing Open(byte[] ring)
    {
        using var encoded = sealer.Open(TicketKeyRing.Purpose, ring);
        return TicketKeyRing.Decode(encoded.Span);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "ticket key {Key} is new; tickets are issued under it from {From:u}")]
    private partial void LogRotated(string key, DateTimeOffset from);

    [LoggerMessage(Level = LogLevel.Warning, Message = "new ticket keys can't be stored, the cluster goes on with the ones it has: {Reason}")]
    private partial void LogNotStored(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the stored ticket keys can't be read, the cluster begins anew: {Reason}")]
    private partial void LogUnreadable(string reason);
}
