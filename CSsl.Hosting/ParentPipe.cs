namespace CSsl.Hosting;

/// <summary>The standard input of a process that was started by another: it ends when the parent closes it, and when the parent dies, however it does.</summary>
public static class ParentPipe
{
    /// <summary>Calls <paramref name="ended"/> once, on a thread of its own, when standard input ends.</summary>
    /// <remarks>Not on the thread pool: the read blocks for the life of the process, and its end must be heard when the pool is busy.</remarks>
    public static void OnEnd(Action ended) => new Thread(() =>
    {
        ReadToEnd();
        ended();
    })
    { IsBackground = true, Name = "parent pipe" }.Start();

    private static void ReadToEnd()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> ignored = stackalloc byte[64];
        try
        {
            while (input.Read(ignored) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A pipe that broke is as gone as one that ended.
        }
    }
}
