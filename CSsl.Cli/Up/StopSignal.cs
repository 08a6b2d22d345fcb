using System.Runtime.InteropServices;
using CSsl.Hosting;

namespace CSsl.Cli.Up;

/// <summary>Ctrl-C, SIGTERM, and a terminal that was closed. The first asks to stop, the second to hurry.</summary>
internal sealed class StopSignal : IDisposable
{
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _hurry = new();
    private readonly Lock _lock = new();
    private readonly List<PosixSignalRegistration> _registrations;
    private bool _disposed;

    public StopSignal() => _registrations = [.. Signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Cancelled by the second.</summary>
    public CancellationToken Hurry => _hurry.Token;

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        lock (_lock)
        {
            _disposed = true;
            _stop.Dispose();
            _hurry.Dispose();
        }
    }

    /// <summary>Stop also when the parent is gone.</summary>
    public void WatchParent() => ParentPipe.OnEnd(Request);

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        Request();
    }

    private void Request()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            if (_stop.IsCancellationRequested)
                _ = _hurry.CancelAsync();
            else
                _ = _stop.CancelAsync();
        }
    }
}
