namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>The function pointers of an IMB_MGR that C-SSL calls. They depend on the processor, not on the manager.</summary>
/// <remarks>
/// Where they stand in the structure is part of the ABI: since 1.0 functions are only added behind the others ("Careful as changes here can break
/// ABI compatibility" in intel-ipsec-mb.h). The offsets were computed from the headers of 1.3, 1.4 and 1.5. Calls that take nanoseconds, and those
/// of at most one record of an AEAD (5 us) or one batch of a link (15 us), don't leave the run-time's cooperative mode; those that may work on many records do.
/// </remarks>
internal readonly unsafe struct ImbFunctions(byte* manager)
{
    public const int ArchitectureOffset = 56;
    public const int FirstOffset = 64;
    public const int LastOffset = 464;

    /// <summary>A job of the ring, to be filled in and submitted.</summary>
    public readonly delegate* unmanaged[SuppressGCTransition]<void*, ImbJob*> GetNextJob
        = (delegate* unmanaged[SuppressGCTransition]<void*, ImbJob*>)At(manager, 64);

    /// <summary>Submits it, unchecked; the earliest job when that is complete, else null.</summary>
    public readonly delegate* unmanaged<void*, ImbJob*> SubmitJob = (delegate* unmanaged<void*, ImbJob*>)At(manager, 80);

    /// <summary>The earliest job when it is complete, else null.</summary>
    public readonly delegate* unmanaged[SuppressGCTransition]<void*, ImbJob*> GetCompletedJob
        = (delegate* unmanaged[SuppressGCTransition]<void*, ImbJob*>)At(manager, 88);

    /// <summary>Completes the earliest job with lanes as full as they are; null when there is none.</summary>
    public readonly delegate* unmanaged<void*, ImbJob*> FlushJob = (delegate* unmanaged<void*, ImbJob*>)At(manager, 96);

    /// <summary>Key; round keys to encrypt; round keys to decrypt.</summary>
    public readonly delegate* unmanaged<byte*, byte*, byte*, void> ExpandKey128 = (delegate* unmanaged<byte*, byte*, byte*, void>)At(manager, 112);

    public readonly delegate* unmanaged<byte*, byte*, byte*, void> ExpandKey256 = (delegate* unmanaged<byte*, byte*, byte*, void>)At(manager, 128);

    /// <summary>State after one block.</summary>
    public readonly delegate* unmanaged<byte*, byte*, void> Sha256OneBlock = (delegate* unmanaged<byte*, byte*, void>)At(manager, 176);

    public readonly delegate* unmanaged<byte*, byte*, void> Sha384OneBlock = (delegate* unmanaged<byte*, byte*, void>)At(manager, 184);

    public readonly nint Gcm128Encrypt = At(manager, 256);
    public readonly nint Gcm256Encrypt = At(manager, 272);
    public readonly nint Gcm128Decrypt = At(manager, 280);
    public readonly nint Gcm256Decrypt = At(manager, 296);

    /// <summary>Key; gcm_key_data.</summary>
    public readonly delegate* unmanaged<byte*, byte*, void> Gcm128Precompute = (delegate* unmanaged<byte*, byte*, void>)At(manager, 448);

    public readonly delegate* unmanaged<byte*, byte*, void> Gcm256Precompute = (delegate* unmanaged<byte*, byte*, void>)At(manager, LastOffset);

    private static nint At(byte* manager, int offset) => *(nint*)(manager + offset);
}
