using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace CSsl.EmbeddedCluster.Calls;

/// <summary>A call that waits for its turn, and its answer.</summary>
internal sealed class Request(GrainCall call) : TaskCompletionSource<object?>(TaskCreationOptions.RunContinuationsAsynchronously), ITurn
{
    private volatile bool _abandoned;

    public GrainCall Call { get; } = call;

    /// <summary>Silos that passed the request on so far.</summary>
    public int Hops { get; init; }

    /// <summary>Nobody waits any more: a request that has not begun never does.</summary>
    public bool IsAbandoned => _abandoned;

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the grain throws is the caller's.")]
    public async ValueTask<Exception?> RunAsync(object grain)
    {
        if (IsAbandoned)
            return null;
        try
        {
            TrySetResult(await Call.Method.Invoke(grain, Call.Arguments));
            return null;
        }
        catch (Exception e)
        {
            var thrown = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            TrySetException(thrown);
            return thrown;
        }
    }

    /// <summary>Waits for the answer.</summary>
    /// <exception cref="TimeoutException">None came in time.</exception>
    public async Task<object?> AnswerAsync(TimeSpan timeout, TimeProvider time)
    {
        var cancellationToken = Call.CancellationToken;
        try
        {
            return await Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!Task.IsCompleted)
        {
            _abandoned = true;
            throw new TimeoutException($"{Call}: no answer within {timeout.TotalSeconds:0.###} s.");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _abandoned = true;
            throw;
        }
    }
}
