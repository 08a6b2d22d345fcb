using CSsl.Hosting;
using Orleans.Runtime;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Ends the process where Orleans can't go on, above all when the other silos have declared this one dead: it hung, or was cut off, and what it had is
/// elsewhere by now. One line and exit code 1, for whoever looks after it to start it anew. Orleans's own handler aborts the process, with a page of stack.
/// </summary>
internal sealed class FatalErrors(ProcessEnd process) : IFatalErrorHandler
{
    private int _isEnding;

    /// <inheritdoc/>
    public bool IsUnexpected(Exception exception) => exception is not ThreadInterruptedException;

    /// <inheritdoc/>
    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        if (Interlocked.Exchange(ref _isEnding, 1) == 1)
            return;

        process.Now(ExitCodes.Failure, Describe(context, exception));
    }

    /// <summary>Orleans gives no exception when it is the membership table that says that this silo is dead.</summary>
    internal static string Describe(string? context, Exception? exception) => exception is null
        ? "the other silos have declared this one dead, because it did not answer them: it ends"
        : $"Orleans can't go on and this silo ends ({context}): {exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")}";
}
