namespace CSsl.Hosting;

/// <summary>How this process's sockets call back.</summary>
public static class SocketCompletions
{
    // Read once, by the first socket of the process: https://learn.microsoft.com/dotnet/core/runtime-config/networking
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Runs what follows a socket's readiness on the thread that noticed it. Call before the first socket; a setting of the operator's own stays.</summary>
    /// <remarks>A gateway's and a silo's answers to a readable socket are short (a frame, a record, a few header lines), shorter than the hop to
    /// another thread. Long work leaves that thread by itself: a lane's turn, the application, a link that does not stop sending.</remarks>
    public static void RunInline()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
            Environment.SetEnvironmentVariable(Variable, "1");
    }
}
