using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CSsl.Tls.Engines.Managed;

/// <summary>A SHA-2 state between two blocks: what <see cref="ConstantTimeHmac"/> needs and no hash API offers, because it decides itself what the last blocks are.</summary>
/// <remarks>
/// The compression function is libcrypto's (SHA256_Transform, SHA512_Transform), on the instructions that the machine has for it,
/// with no data-dependent branch, and in the library that .NET has loaded anyway. They are deprecated since OpenSSL 3.0 (for an API
/// that hides the state), but the ABI of libcrypto.so.3 keeps them, and the layout of the contexts has been public since 0.9.
/// </remarks>
internal unsafe interface ISha2State<TSelf>
    where TSelf : unmanaged, ISha2State<TSelf>
{
    /// <summary>Bytes that <see cref="Compress"/> takes.</summary>
    static abstract int BlockLength { get; }

    /// <summary>Bytes that <see cref="WriteDigest"/> gives.</summary>
    static abstract int DigestLength { get; }

    /// <summary>Bytes of the message length at the end of the last block.</summary>
    static abstract int LengthFieldLength { get; }

    static abstract void Initialize(TSelf* state);

    static abstract void Compress(TSelf* state, byte* block);

    static abstract void WriteDigest(TSelf* state, Span<byte> digest);
}

/// <summary>SHA256_CTX of libcrypto: h[8], Nl, Nh, data[16], num, md_len, all 32 bits.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe partial struct Sha256State : ISha2State<Sha256State>
{
    private fixed uint _context[8 + 2 + 16 + 2];

    public static int BlockLength => 64;
    public static int DigestLength => 32;
    public static int LengthFieldLength => 8;

    public static void Initialize(Sha256State* state) => _ = SHA256_Init(state);

    public static void Compress(Sha256State* state, byte* block) => SHA256_Transform(state, block);

    public static void WriteDigest(Sha256State* state, Span<byte> digest)
    {
        for (var i = 0; i < DigestLength / sizeof(uint); i++)
            BinaryPrimitives.WriteUInt32BigEndian(digest[(i * sizeof(uint))..], state->_context[i]);
    }

    [LibraryImport("libcrypto.so.3"), SuppressGCTransition]
    private static partial int SHA256_Init(Sha256State* context);

    [LibraryImport("libcrypto.so.3"), SuppressGCTransition]
    private static partial void SHA256_Transform(Sha256State* context, byte* block);
}

/// <summary>SHA512_CTX of libcrypto, begun as SHA-384: h[8], Nl, Nh, data[16], all 64 bits, and num, md_len of 32 bits.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe partial struct Sha384State : ISha2State<Sha384State>
{
    private fixed ulong _context[8 + 2 + 16 + 1];

    public static int BlockLength => 128;
    public static int DigestLength => 48;
    public static int LengthFieldLength => 16;

    public static void Initialize(Sha384State* state) => _ = SHA384_Init(state);

    public static void Compress(Sha384State* state, byte* block) => SHA512_Transform(state, block);

    public static void WriteDigest(Sha384State* state, Span<byte> digest)
    {
        for (var i = 0; i < DigestLength / sizeof(ulong); i++)
            BinaryPrimitives.WriteUInt64BigEndian(digest[(i * sizeof(ulong))..], state->_context[i]);
    }

    [LibraryImport("libcrypto.so.3"), SuppressGCTransition]
    private static partial int SHA384_Init(Sha384State* context);

    [LibraryImport("libcrypto.so.3"), SuppressGCTransition]
    private static partial void SHA512_Transform(Sha384State* context, byte* block);
}
