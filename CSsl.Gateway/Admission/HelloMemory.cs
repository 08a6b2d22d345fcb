namespace CSsl.Gateway.Admission;

/// <summary>
/// Bounds what the ClientHellos of all clients take together: one may have 131 KB, in records of a byte each six times that, and be sent as slowly as the time
/// for a handshake allows. Small hellos, which is nearly all, need no part of it: whoever fills it up keeps out the large ones only. Thread-safe.
/// </summary>
/// <param name="limit">Bytes.</param>
internal sealed class HelloMemory(long limit)
{
    /// <summary>Bytes that each client has anyway: a block of its socket's memory.</summary>
    public const int Free = 4096;

    private long _held;

    /// <summary>Bytes that are held now.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Takes what a hello needs.</summary>
    /// <param name="length">Bytes of it that are there.</param>
    /// <param name="held">What was taken for it, and is to be given back to <see cref="Release"/>.</param>
    /// <returns>False: there is no more.</returns>
    public bool TryHold(long length, ref long held)
    {
        var more = length - Free - held;
        if (more <= 0)
            return true;
        if (Interlocked.Add(ref _held, more) > limit)
        {
            Interlocked.Add(ref _held, -more);
            return false;
        }

        held += more;
        return true;
    }

    /// <summary>The handshake is over.</summary>
    public void Release(long held) => Interlocked.Add(ref _held, -held);
}
