using CSsl.Grains.Cluster;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Concurrency;

namespace CSsl.Grains.Data;

/// <summary>Asks the gateways that the cluster grain knows, all at once, and puts their answers together.</summary>
/// <remarks>Reentrant, for it only waits: who asks does not wait for a gateway that is silent for somebody who asked before.</remarks>
[StatelessWorker, Reentrant]
public sealed partial class ClusterSessionsGrain(IGrainFactory grains, TimeProvider time, ILogger<ClusterSessionsGrain> logger) : Grain, IClusterSessionsGrain
{
    /// <summary>How long a gateway has for its answer.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public async ValueTask<SessionList> List(SessionQuery query, CancellationToken cancellationToken)
    {
        var (answers, silent) = await AskAsync(gateway: null, observer => observer.ListSessions(query), static _ => false, cancellationToken);
        return SessionList.Merge(query, answers, silent);
    }

    /// <inheritdoc/>
    public async ValueTask<SessionList> Find(Guid sessionId, string? gateway, CancellationToken cancellationToken)
    {
        var (answers, silent) = await AskAsync(gateway, observer => observer.FindSession(sessionId), static session => session is not null, cancellationToken);
        SessionInfo[] found = [.. answers.OfType<SessionInfo>()];
        return new SessionList { Sessions = found, Total = found.Length, Silent = silent };
    }

    /// <inheritdoc/>
    public ValueTask<SessionAnswer> End(Guid sessionId, CancellationToken cancellationToken) => OrderAsync(observer => observer.EndSession(sessionId), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<SessionAnswer> Move(Guid sessionId, string silo, CancellationToken cancellationToken) => OrderAsync(observer => observer.MoveSession(sessionId, silo), cancellationToken);

    private async ValueTask<SessionAnswer> OrderAsync(Func<IGatewayObserver, ValueTask<SessionMove>> order, CancellationToken cancellationToken)
    {
        var (answers, silent) = await AskAsync(gateway: null, order, static outcome => outcome != SessionMove.Unknown, cancellationToken);
        return new SessionAnswer { Outcome = answers.FirstOrDefault(static outcome => outcome != SessionMove.Unknown), Silent = silent };
    }

    /// <summary>Asks gateways until one has given the answer that is looked for, or all have answered or have had the time to.</summary>
    private async Task<(List<T> Answers, IReadOnlyList<string> Silent)> AskAsync<T>(
        string? gateway, Func<IGatewayObserver, ValueTask<T>> ask, Func<T, bool> isEnough, CancellationToken cancellationToken)
    {
        var known = await grains.GetGrain<IClusterGrain>(0).GetGateways(cancellationToken);
        var asked = known.Where(known => gateway is null || known.Name == gateway).Select(known => AskAsync(known, ask, cancellationToken));
        var answers = new List<T>();
        var silent = new List<string>();
        await foreach (var answered in Task.WhenEach(asked))
        {
            var answer = await answered;
            if (!answer.IsThere)
            {
                silent.Add(answer.Gateway);
                continue;
            }

            answers.Add(answer.Value!);
            if (isEnough(answer.Value!))
                return (answers, []);
        }

        silent.Sort(StringComparer.Ordinal);
        return (answers, silent);
    }

    private async Task<Answer<T>> AskAsync<T>(KnownGateway gateway, Func<IGatewayObserver, ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return new Answer<T>(gateway.Name, IsThere: true, await ask(gateway.Observer).AsTask().WaitAsync(Patience, time, cancellationToken));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogSilent(gateway.Name, e.Message);
            return new Answer<T>(gateway.Name, IsThere: false, default);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Gateway} does not say what sessions it has: {Reason}")]
    private partial void LogSilent(string gateway, string reason);

    private readonly record struct Answer<T>(string Gateway, bool IsThere, T? Value);
}
