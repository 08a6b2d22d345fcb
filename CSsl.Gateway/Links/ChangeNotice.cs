using CSsl.Gateway.VirtualConnections;

namespace CSsl.Gateway.Links;

/// <summary>The next change of the links, for those who wait for it. Thread-safe.</summary>
internal sealed class ChangeNotice
{
    private readonly Lock _gate = new();
    private List<AsyncSignal>? _waiting;
    private bool _isOver;

    /// <summary>Sets <paramref name="signal"/> when the change comes; at once if it is over.</summary>
    public void Tell(AsyncSignal signal)
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                (_waiting ??= []).Add(signal);
                return;
            }
        }

        signal.Set();
    }

    /// <summary>The change is here.</summary>
    public void Raise()
    {
        List<AsyncSignal>? waiting;
        lock (_gate)
        {
            _isOver = true;
            (waiting, _waiting) = (_waiting, null);
        }

        waiting?.ForEach(static signal => signal.Set());
    }
}
