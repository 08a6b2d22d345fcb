using System.Runtime.InteropServices;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>IMB_JOB, as it begins in 1.3 to 1.5 (later versions add fields behind). Lies in the manager's ring; never allocated here.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct ImbJob
{
    public const int CipherCbc = 1;
    public const int CipherChaCha20Poly1305 = 19;
    public const int HashHmacSha256 = 3;
    public const int HashHmacSha384 = 4;
    public const int HashChaCha20Poly1305 = 29;
    public const int Encrypt = 1;
    public const int Decrypt = 2;
    public const int CipherThenHash = 1;
    public const int HashThenCipher = 2;

    /// <summary>IMB_STATUS_COMPLETED: cipher and hash.</summary>
    public const int Completed = 3;

    [FieldOffset(0)] public void* EncryptionKeys;
    [FieldOffset(8)] public void* DecryptionKeys;
    [FieldOffset(16)] public ulong KeyLength;
    [FieldOffset(24)] public byte* Source;
    [FieldOffset(32)] public byte* Destination;
    [FieldOffset(40)] public ulong CipherOffset;
    [FieldOffset(48)] public ulong CipherLength;

    /// <summary>From <see cref="Source"/>; added without a check, so it reaches any address.</summary>
    [FieldOffset(56)] public ulong HashOffset;

    [FieldOffset(64)] public ulong HashLength;
    [FieldOffset(72)] public byte* Iv;
    [FieldOffset(80)] public ulong IvLength;
    [FieldOffset(88)] public byte* Tag;
    [FieldOffset(96)] public ulong TagLength;

    /// <summary>HMAC: state after the block of the key with ipad; AEAD: additional data.</summary>
    [FieldOffset(104)] public void* InnerStateOrAdditionalData;

    /// <summary>HMAC: state after the block of the key with opad; AEAD: length of the additional data.</summary>
    [FieldOffset(112)] public void* OuterStateOrAdditionalDataLength;

    [FieldOffset(128)] public int Status;
    [FieldOffset(132)] public int CipherMode;
    [FieldOffset(136)] public int Direction;
    [FieldOffset(140)] public int Hash;
    [FieldOffset(144)] public int Order;
    [FieldOffset(152)] public void* UserData;
    [FieldOffset(160)] public void* UserData2;

    /// <summary>sgl_state: none of ours.</summary>
    [FieldOffset(184)] public int ScatterGather;
}
