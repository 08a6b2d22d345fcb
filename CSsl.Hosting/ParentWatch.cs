using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Hosting;

/// <summary>
/// Lifetime of a process that belongs to a parent: it stops when its standard input ends, which happens when the parent closes the pipe
/// and also when the parent is killed. SIGTERM stops it too; SIGINT, which a terminal sends to the whole group, is the parent's to handle.
/// </summary>
internal sealed partial class ParentWatch(IHostApplicationLifetime application, IOptions<HostOptions> options, ILogger<ParentWatch> logger) : IHostLifetime, IDisposable
{
    private PosixSignalRegistration? _interrupt;
    private PosixSignalRegistration? _terminate;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static signal => signal.Cancel = true);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            application.StopApplication();
        });

        ParentPipe.OnEnd(OnParentGone);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _interrupt?.Dispose();
        _terminate?.Dispose();
    }

    private void OnParentGone()
    {
        LogParentGone(logger);
        application.StopApplication();

        // Nobody is left to kill a process that hangs while it stops.
        if (!application.ApplicationStopped.WaitHandle.WaitOne(options.Value.ShutdownTimeout + TimeSpan.FromSeconds(2)))
            Environment.Exit(ExitCodes.Failure);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "standard input ended: stopping")]
    private static partial void LogParentGone(ILogger logger);
}
