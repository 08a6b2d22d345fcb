// The engine pins the jobs of a call, and writes no reference through a pointer.
#pragma warning disable CS8500

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>A gcm_key_data: AES round keys and powers of the hash key.</summary>
internal sealed unsafe class GcmKey : IpsecMbKey
{
    /// <summary>Bytes of a gcm_context_data, which a call works in.</summary>
    public const int ContextLength = 96;

    private readonly byte* _key;
    private readonly RecordDirection _direction;

    // gcm_key_data, context, out, in, length, IV, AAD, its length, tag, its length.
    private readonly delegate* unmanaged[SuppressGCTransition]<byte*, byte*, byte*, byte*, ulong, byte*, byte*, ulong, byte*, ulong, void> _transform;

    public GcmKey(IpsecMbLibrary library, in RecordKeyMaterial material)
        : base(library.GcmKeyLength)
    {
        var functions = library.Functions;
        var isShort = material.Suite.KeyLength == 16;
        _key = Memory.Pointer;
        _direction = material.Direction;
        var transform = _direction == RecordDirection.Seal
            ? isShort ? functions.Gcm128Encrypt : functions.Gcm256Encrypt
            : isShort ? functions.Gcm128Decrypt : functions.Gcm256Decrypt;
        _transform = (delegate* unmanaged[SuppressGCTransition]<byte*, byte*, byte*, byte*, ulong, byte*, byte*, ulong, byte*, ulong, void>)transform;
        fixed (byte* key = material.Key)
        {
            if (isShort)
                functions.Gcm128Precompute(key, _key);
            else
                functions.Gcm256Precompute(key, _key);
        }
    }

    /// <summary>Runs a job that is ready.</summary>
    /// <param name="job">In memory that doesn't move.</param>
    /// <param name="context"><see cref="ContextLength"/> bytes, aligned to 16.</param>
    public void Run(RecordJob* job, byte* context)
    {
        var length = (ulong)job->CipherLength;
        var tag = job->Text + length;
        if (_direction == RecordDirection.Seal)
        {
            _transform(_key, context, job->Text, job->Text, length, (byte*)&job->Nonce, (byte*)&job->AdditionalData, (ulong)job->AdditionalDataLength, tag, CipherLengths.Tag);
            job->Status = RecordJobStatus.Done;
            return;
        }

        var expected = stackalloc byte[CipherLengths.Tag];
        _transform(_key, context, job->Destination, job->Text, length, (byte*)&job->Nonce, (byte*)&job->AdditionalData, (ulong)job->AdditionalDataLength, expected, CipherLengths.Tag);
        if (Tags.AreEqual(expected, tag))
            job->Status = RecordJobStatus.Done;
        else
            job->Refuse();
    }
}
