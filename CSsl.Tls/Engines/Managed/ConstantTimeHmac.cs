using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Engines.Managed;

/// <summary>HMAC over data whose length is a secret: its time depends on the longest and the shortest that the data could be.</summary>
internal abstract class ConstantTimeHmac : IDisposable
{
    /// <summary>By how much the length can vary: the most that padding and its length byte take.</summary>
    protected const int MaxPadding = 256;

    public static ConstantTimeHmac Create(CipherSuiteInfo suite, ReadOnlySpan<byte> key) => suite.Hash == HashAlgorithmName.SHA384
        ? new ConstantTimeHmac<Sha384State>(key)
        : new ConstantTimeHmac<Sha256State>(key);

    /// <summary>Computes HMAC(header, text[..length]).</summary>
    /// <param name="header">Of a length that is no secret, less than a block.</param>
    /// <param name="text">Content, MAC and padding.</param>
    /// <param name="length">The secret: at least <c>text.Length</c> less MAC and 256 bytes, at most <c>text.Length</c> less MAC.</param>
    /// <param name="mac">Filled.</param>
    public abstract void Compute(ReadOnlySpan<byte> header, ReadOnlySpan<byte> text, int length, Span<byte> mac);

    public abstract void Dispose();
}

/// <inheritdoc />
/// <remarks>
/// <code>
///   inner hash:  | key ^ ipad | header | text[0 .. length) | 80 | 0 … 0 | bits |     bits: 64 or 128
///                  once         \---- blocks --------------------------------/
/// </code>
/// Blocks that are data whatever the length are compressed as they are. Of the few that follow, each is built with masks as it would be for the
/// true length, all are compressed, and the state after the true last one is picked with a mask.
/// </remarks>
internal sealed unsafe class ConstantTimeHmac<TState> : ConstantTimeHmac
    where TState : unmanaged, ISha2State<TState>
{
    private const byte InnerPad = 0x36;
    private const byte OuterPad = 0x5C;
    private const byte EndOfMessage = 0x80;
    private const int MaxBlockLength = 128;
    private const int MaxDigestLength = 48;

    private readonly SecretBytes _inner;
    private readonly SecretBytes _outer;

    public ConstantTimeHmac(ReadOnlySpan<byte> key)
    {
        _inner = KeyedState(key, InnerPad);
        _outer = KeyedState(key, OuterPad);
    }

    public override void Compute(ReadOnlySpan<byte> header, ReadOnlySpan<byte> text, int length, Span<byte> mac)
    {
        var blockLength = TState.BlockLength;
        var state = MemoryMarshal.Read<TState>(_inner.Span);
        byte* block = stackalloc byte[MaxBlockLength];
        var blockBytes = new Span<byte>(block, blockLength);
        Span<byte> digest = stackalloc byte[MaxDigestLength];
        digest = digest[..TState.DigestLength];
        Span<byte> digestHere = stackalloc byte[TState.DigestLength];
        digest.Clear();

        // These are no secrets.
        var longest = header.Length + text.Length - TState.DigestLength;
        var shortest = Math.Max(header.Length, longest - MaxPadding);
        var plainBlocks = shortest / blockLength;
        var blocks = BlocksOf(longest);

        // These are.
        var messageLength = header.Length + length;
        var lastBlock = BlocksOf(messageLength) - 1;
        var bits = (uint)(blockLength + messageLength) * 8;

        for (var i = 0; i < plainBlocks; i++)
        {
            CopyMessage(header, text, i * blockLength, blockBytes);
            TState.Compress(&state, block);
        }

        for (var i = plainBlocks; i < blocks; i++)
        {
            var start = i * blockLength;
            CopyMessage(header, text, start, blockBytes);
            for (var j = 0; j < blockLength; j++)
            {
                var isMessage = ConstantTime.Less(start + j, messageLength);
                var isEnd = ConstantTime.Equal(start + j, messageLength);
                block[j] = (byte)((block[j] & isMessage) | (EndOfMessage & isEnd));
            }

            var isLast = ConstantTime.Equal(i, lastBlock);
            for (var j = 0; j < sizeof(uint); j++)
                block[blockLength - 1 - j] |= (byte)((bits >> (8 * j)) & isLast);

            TState.Compress(&state, block);
            TState.WriteDigest(&state, digestHere);
            for (var j = 0; j < digest.Length; j++)
                digest[j] |= (byte)(digestHere[j] & isLast);
        }

        FinishOuter(digest, blockBytes, mac);
        CryptographicOperations.ZeroMemory(new Span<byte>(&state, sizeof(TState)));
        CryptographicOperations.ZeroMemory(blockBytes);
    }

    public override void Dispose()
    {
        _inner.Dispose();
        _outer.Dispose();
    }

    /// <summary>Blocks of a message of so many bytes, with its end mark and length. By a shift: a division's time depends on its operands.</summary>
    private static int BlocksOf(int messageLength)
        => (messageLength + 1 + TState.LengthFieldLength + TState.BlockLength - 1) >> BitOperations.Log2((uint)TState.BlockLength);

    /// <summary>One block of header and text from a place that is no secret; zeros past the end of the text.</summary>
    private static void CopyMessage(ReadOnlySpan<byte> header, ReadOnlySpan<byte> text, int start, Span<byte> block)
    {
        if (start == 0)
        {
            header.CopyTo(block);
            block = block[header.Length..];
        }
        else
        {
            text = text[Math.Min(start - header.Length, text.Length)..];
        }

        var here = Math.Min(block.Length, text.Length);
        text[..here].CopyTo(block);
        block[here..].Clear();
    }

    /// <summary>HMAC's second hash, of a length that everybody knows.</summary>
    private void FinishOuter(ReadOnlySpan<byte> innerDigest, Span<byte> block, Span<byte> mac)
    {
        var state = MemoryMarshal.Read<TState>(_outer.Span);
        block.Clear();
        innerDigest.CopyTo(block);
        block[innerDigest.Length] = EndOfMessage;
        BinaryPrimitives.WriteUInt32BigEndian(block[^sizeof(uint)..], (uint)(block.Length + innerDigest.Length) * 8);
        fixed (byte* bytes = block)
            TState.Compress(&state, bytes);
        TState.WriteDigest(&state, mac);
        CryptographicOperations.ZeroMemory(new Span<byte>(&state, sizeof(TState)));
    }

    /// <summary>The state after the block of the padded key (RFC 2104). MAC keys are as long as the digest, less than a block.</summary>
    private static SecretBytes KeyedState(ReadOnlySpan<byte> key, byte pad)
    {
        byte* block = stackalloc byte[MaxBlockLength];
        var bytes = new Span<byte>(block, TState.BlockLength);
        bytes.Fill(pad);
        for (var i = 0; i < key.Length; i++)
            bytes[i] ^= key[i];

        var keyed = new SecretBytes(sizeof(TState));
        fixed (byte* state = keyed.Span)
        {
            TState.Initialize((TState*)state);
            TState.Compress((TState*)state, block);
        }

        CryptographicOperations.ZeroMemory(bytes);
        return keyed;
    }
}
