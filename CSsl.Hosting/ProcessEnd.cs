namespace CSsl.Hosting;

/// <summary>Ends this process at once. Only a host that <see cref="CsslHost"/> runs has one: where a host is one of several in a process, that is not for it to end.</summary>
/// <param name="exit">Ends it with an exit code.</param>
public sealed class ProcessEnd(Action<int> exit)
{
    /// <param name="exitCode">One of <see cref="ExitCodes"/>.</param>
    /// <param name="line">Why. Not for the log: nobody would be left to write what it queues.</param>
    public void Now(int exitCode, string line)
    {
        ConsoleLine.Write(Console.Error, $"cssl: {line}", ConsoleLog.Patience);
        exit(exitCode);
    }
}
