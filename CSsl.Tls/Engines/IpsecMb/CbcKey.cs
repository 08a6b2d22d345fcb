using System.Security.Cryptography;
using CSsl.Tls.Engines.Managed;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>AES round keys and the two states of an HMAC after its key; and the same key in .NET's hands, for records that are alone.</summary>
/// <remarks>
/// <code>
///   0         240       480       544       608       656
///   +---------+---------+---------+---------+---------+
///   | encrypt | decrypt | inner   | outer   | MAC key |     the first round keys are the AES key itself
///   +---------+---------+---------+---------+---------+
/// </code>
/// </remarks>
internal sealed unsafe class CbcKey : IpsecMbKey
{
    private const int RoundKeys = 240;
    private const int HashState = 64;
    private const int MaxBlock = 128;
    private const byte InnerPad = 0x36;
    private const byte OuterPad = 0x5C;
    private const int MacKeyAt = 2 * RoundKeys + 2 * HashState;

    private readonly CipherSuiteInfo _suite;
    private readonly byte* _memory;
    private ManagedKey? _alone;

    public CbcKey(IpsecMbLibrary library, in RecordKeyMaterial material)
        : base(MacKeyAt + CipherLengths.MaxMac)
    {
        var functions = library.Functions;
        _suite = material.Suite;
        _memory = Memory.Pointer;
        Direction = material.Direction;
        EncryptThenMac = material.EncryptThenMac;
        var isLong = MacLength == CipherLengths.MaxMac;
        Kind = EncryptThenMac
            ? isLong ? CbcKind.EncryptThenMacSha384 : CbcKind.EncryptThenMacSha256
            : isLong ? CbcKind.MacThenEncryptSha384 : CbcKind.MacThenEncryptSha256;
        material.MacKey.CopyTo(Memory.Span[MacKeyAt..]);

        fixed (byte* key = material.Key)
        {
            if (KeyLength == 16)
                functions.ExpandKey128(key, EncryptionKeys, DecryptionKeys);
            else
                functions.ExpandKey256(key, EncryptionKeys, DecryptionKeys);
        }

        var oneBlock = isLong ? functions.Sha384OneBlock : functions.Sha256OneBlock;
        StateAfter(material.MacKey, InnerPad, oneBlock, InnerState);
        StateAfter(material.MacKey, OuterPad, oneBlock, OuterState);
    }

    public override bool UsesLanes => true;

    public CbcKind Kind { get; }

    public RecordDirection Direction { get; }

    public bool EncryptThenMac { get; }

    public int KeyLength => _suite.KeyLength;

    public int MacLength => _suite.MacLength;

    public byte* EncryptionKeys => _memory;

    public byte* DecryptionKeys => _memory + RoundKeys;

    public byte* InnerState => _memory + 2 * RoundKeys;

    public byte* OuterState => _memory + 2 * RoundKeys + HashState;

    /// <summary>Runs jobs one by one, which is faster than lanes that are nearly empty. Made when it is first needed.</summary>
    public ManagedKey Alone => _alone ??= ManagedKey.Create(new RecordKeyMaterial(
        _suite,
        Direction,
        EncryptThenMac,
        new ReadOnlySpan<byte>(EncryptionKeys, KeyLength),
        new ReadOnlySpan<byte>(_memory + MacKeyAt, MacLength)));

    protected override void Wipe()
    {
        _alone?.Dispose();
        base.Wipe();
    }

    /// <summary>RFC 2104: the hash state after the block of the padded key, which is shorter than a block.</summary>
    private static void StateAfter(ReadOnlySpan<byte> key, byte pad, delegate* unmanaged<byte*, byte*, void> oneBlock, byte* state)
    {
        var block = stackalloc byte[MaxBlock];
        var bytes = new Span<byte>(block, MaxBlock);
        bytes.Fill(pad);
        for (var i = 0; i < key.Length; i++)
            bytes[i] ^= key[i];
        oneBlock(block, state);
        CryptographicOperations.ZeroMemory(bytes);
    }
}

/// <summary>CBC records that share lanes.</summary>
internal enum CbcKind
{
    MacThenEncryptSha256,
    MacThenEncryptSha384,
    EncryptThenMacSha256,
    EncryptThenMacSha384,
}
