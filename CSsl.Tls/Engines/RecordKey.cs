namespace CSsl.Tls.Engines;

/// <summary>
/// An expanded key of one direction of one connection, in the form that its engine works with. Made by <see cref="IRecordEngine.CreateKey"/>;
/// wiped when its owner has disposed it and no job that was prepared with it is under way any more.
/// </summary>
/// <remarks>
/// A job leases its key from the moment it is prepared until it is released. So a KeyUpdate, or the end of a connection, may replace a key while
/// records under it still wait in a batch. Leases may be taken and returned on different threads; an engine call has the key for itself.
/// </remarks>
public abstract class RecordKey : IDisposable
{
    // The owner's reference and one of each lease.
    private int _references = 1;
    private int _disposed;

    /// <summary>True when the key is gone from memory.</summary>
    public bool IsWiped => Volatile.Read(ref _references) == 0;

    /// <summary>True when the engine works on several records of such keys at the same time (<see cref="IRecordEngine.Lanes"/>).</summary>
    public virtual bool UsesLanes => false;

    /// <summary>Gives up the owner's reference.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            Return();
        GC.SuppressFinalize(this);
    }

    /// <summary>Called by the owner only, so that there is a reference to add to.</summary>
    /// <exception cref="ObjectDisposedException">The owner has disposed it.</exception>
    internal void Lease()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        Interlocked.Increment(ref _references);
    }

    internal void Return()
    {
        if (Interlocked.Decrement(ref _references) == 0)
            Wipe();
    }

    /// <summary>Zeroes and frees the expanded key. Called once.</summary>
    protected abstract void Wipe();
}

/// <summary>What an engine makes a <see cref="RecordKey"/> from.</summary>
/// <param name="suite">The suite.</param>
/// <param name="direction">What the key is for.</param>
/// <param name="encryptThenMac">CBC: RFC 7366 was negotiated.</param>
/// <param name="key">The encryption key, of the suite's length. Copied or expanded; stays the caller's to wipe.</param>
/// <param name="macKey">The HMAC key of a CBC suite, else empty. Likewise.</param>
public readonly ref struct RecordKeyMaterial(CipherSuiteInfo suite, RecordDirection direction, bool encryptThenMac, ReadOnlySpan<byte> key, ReadOnlySpan<byte> macKey)
{
    public CipherSuiteInfo Suite { get; } = suite;
    public RecordDirection Direction { get; } = direction;
    public bool EncryptThenMac { get; } = encryptThenMac;
    public ReadOnlySpan<byte> Key { get; } = key;
    public ReadOnlySpan<byte> MacKey { get; } = macKey;
}

/// <summary>What a key is for: a connection has one of each.</summary>
public enum RecordDirection
{
    /// <summary>Our write key.</summary>
    Seal,

    /// <summary>The peer's write key.</summary>
    Open,
}

/// <summary>Lengths in bytes that are the same in every suite of C-SSL.</summary>
internal static class CipherLengths
{
    /// <summary>The tag of an AEAD.</summary>
    public const int Tag = 16;

    /// <summary>The nonce of an AEAD.</summary>
    public const int Nonce = 12;

    /// <summary>A block of AES, and an IV of CBC.</summary>
    public const int Block = 16;

    /// <summary>The longest HMAC: SHA-384's.</summary>
    public const int MaxMac = 48;
}
