namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>The workers that are not at work. Whoever runs a batch takes one, so no two threads ever share one.</summary>
internal sealed class IpsecMbWorkers(IpsecMbLibrary library) : IDisposable
{
    private const int MostKept = 16;

    private readonly IpsecMbWorker?[] _idle = new IpsecMbWorker?[MostKept];
    private volatile bool _disposed;

    public IpsecMbWorker Rent()
    {
        foreach (ref var place in _idle.AsSpan())
        {
            if (place is not null && Interlocked.Exchange(ref place, null) is { } worker)
                return worker;
        }

        return new IpsecMbWorker(library);
    }

    /// <summary>Takes a worker back, and frees one that is broken or too many.</summary>
    public void Return(IpsecMbWorker worker)
    {
        if (!worker.IsBroken && !_disposed)
        {
            foreach (ref var place in _idle.AsSpan())
            {
                if (place is null && Interlocked.CompareExchange(ref place, worker, null) is null)
                    return;
            }
        }

        worker.Dispose();
    }

    public void Dispose()
    {
        _disposed = true;
        foreach (ref var place in _idle.AsSpan())
            Interlocked.Exchange(ref place, null)?.Dispose();
    }
}
