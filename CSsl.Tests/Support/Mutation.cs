namespace CSsl.Tests.Support;

/// <summary>Small damages to a recorded byte stream, the kinds that find parser bugs.</summary>
internal sealed class Mutation(Random random)
{
    /// <summary>A damaged copy: one to four damages.</summary>
    public byte[] Of(byte[] original)
    {
        byte[] bytes = [.. original];
        for (int i = random.Next(1, 5); i > 0 && bytes.Length > 1; i--)
            bytes = Damage(bytes);
        return bytes;
    }

    private byte[] Damage(byte[] bytes)
    {
        int at = random.Next(bytes.Length);
        int length = random.Next(1, Math.Min(64, bytes.Length - at) + 1);
        switch (random.Next(7))
        {
            case 0: // a bit
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1: // a byte that means something: limits of lengths, types
                bytes[at] = (byte)(random.Next(6) switch { 0 => 0, 1 => 0xff, 2 => 0x7f, 3 => 0x80, 4 => 22, _ => 23 });
                return bytes;
            case 2: // a length field near the start
                bytes[random.Next(Math.Min(160, bytes.Length))] = (byte)random.Next(256);
                return bytes;
            case 3: // cut off
                return bytes[..at];
            case 4: // a piece missing
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 5: // a piece twice
                return [.. bytes[..(at + length)], .. bytes[at..]];
            default: // a piece of noise
                random.NextBytes(bytes.AsSpan(at, length));
                return bytes;
        }
    }
}
