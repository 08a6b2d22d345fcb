using System.Buffers.Binary;

namespace CSsl.Cli.Origin;

/// <summary>The content of <c>/bytes/{n}</c>: the first n bytes of one fixed sequence, which can be had from any offset without what is before it.</summary>
/// <remarks>Bytes 8k to 8k+7 are the SplitMix64 finalizer of k, little-endian: nothing in it repeats, so that a byte at the wrong place is seen.</remarks>
public static class SampleBytes
{
    private const ulong Gamma = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Writes the bytes from <paramref name="offset"/> on.</summary>
    public static void Fill(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        Span<byte> word = stackalloc byte[8];
        var skip = (int)(offset & 7);
        var index = (ulong)offset >> 3;
        if (skip > 0 && destination.Length > 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, Word(index++));
            var head = word[skip..Math.Min(8, skip + destination.Length)];
            head.CopyTo(destination);
            destination = destination[head.Length..];
        }

        for (; destination.Length >= 8; destination = destination[8..])
            BinaryPrimitives.WriteUInt64LittleEndian(destination, Word(index++));

        if (destination.Length > 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, Word(index));
            word[..destination.Length].CopyTo(destination);
        }
    }

    private static ulong Word(ulong index)
    {
        var z = (index + 1) * Gamma;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
