using System.Buffers.Binary;
using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>Reads the fields of <see cref="ExportedSessionCodec"/>; bytes that are not there throw <see cref="SealedSessionException"/>.</summary>
internal ref struct SessionReader(ReadOnlySpan<byte> source)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = source;

    public readonly bool AtEnd => _rest.IsEmpty;

    public static SealedSessionException Malformed(string why) => new($"Not an encoded session: {why}.");

    public byte ReadByte() => ReadBytes(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(ReadBytes(2));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64BigEndian(ReadBytes(8));

    public ReadOnlySpan<byte> ReadBytes(int length)
    {
        if (length > _rest.Length)
            throw Malformed("it is truncated");
        var bytes = _rest[..length];
        _rest = _rest[length..];
        return bytes;
    }

    public ReadOnlySpan<byte> ReadVector1() => ReadBytes(ReadByte());

    public SecretBytes ReadSecret1()
    {
        var bytes = ReadVector1();
        return bytes.IsEmpty ? SecretBytes.Empty : new SecretBytes(bytes);
    }

    public string? ReadString1(bool present)
    {
        var bytes = ReadVector1();
        try
        {
            return present ? StrictUtf8.GetString(bytes)
                : bytes.IsEmpty ? null
                : throw Malformed("a text that its flag denies");
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("a text that is not UTF-8");
        }
    }
}
