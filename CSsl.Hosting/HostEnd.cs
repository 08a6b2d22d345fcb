using Microsoft.Extensions.Hosting;

namespace CSsl.Hosting;

/// <summary>Ends a process that runs, in order, for a reason that its operator can mend: one line on standard error, and the reason's exit code.</summary>
public sealed class HostEnd(IHostApplicationLifetime lifetime)
{
    private readonly Lock _lock = new();

    /// <summary>What the process is to return; null while nobody has ended it.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>Says why, and asks the host to stop. Only the first reason counts.</summary>
    public void Because(Exception reason)
    {
        lock (_lock)
        {
            if (ExitCode is not null)
                return;
            ExitCode = CsslHost.Report(reason);
        }

        lifetime.StopApplication();
    }
}
