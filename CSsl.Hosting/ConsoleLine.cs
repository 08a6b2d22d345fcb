namespace CSsl.Hosting;

/// <summary>
/// A line for people that is not the log's, on standard output or standard error. Whoever writes one does not wait for a reader that is not there: .NET writes to both under one lock,
/// which the log's thread holds for as long as nobody reads standard output, and this may be a thread that serves sockets.
/// </summary>
public static class ConsoleLine
{
    /// <param name="to">The one or the other.</param>
    /// <param name="line">The line.</param>
    /// <param name="patience">How long it may take before this returns all the same; not given: it returns at once.</param>
    public static void Write(TextWriter to, string line, TimeSpan patience = default)
    {
        var writer = new Thread(() => TryWrite(to, line)) { IsBackground = true, Name = "line" };
        writer.Start();
        if (patience > TimeSpan.Zero)
            writer.Join(patience);
    }

    private static void TryWrite(TextWriter to, string line)
    {
        try
        {
            to.WriteLine(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Closed: there is nobody to tell.
        }
    }
}
