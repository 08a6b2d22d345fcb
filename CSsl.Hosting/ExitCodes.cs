namespace CSsl.Hosting;

/// <summary>Exit codes of every C-SSL process and of the command line.</summary>
public static class ExitCodes
{
    public const int Success = 0;

    /// <summary>It did not work: nothing answers, a child could not be kept running, an unexpected error.</summary>
    public const int Failure = 1;

    /// <summary>A wrong argument or configuration.</summary>
    public const int BadConfiguration = 2;

    /// <summary>A port, a name or the state folder is in use.</summary>
    public const int InUse = 3;
}
