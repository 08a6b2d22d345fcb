using System.Buffers.Binary;
using System.Text;

namespace CSsl.Tests.Tls.Handshake;

/// <summary>Writes ClientHellos, right and wrong ones.</summary>
internal sealed class HelloBuilder
{
    private readonly List<byte> _extensions = [];

    public ushort LegacyVersion { get; init; } = 0x0303;
    public byte[] SessionId { get; init; } = [];
    public byte[] CipherSuites { get; init; } = [0x13, 0x01];
    public byte[] CompressionMethods { get; init; } = [0];

    public HelloBuilder Extension(ushort type, ReadOnlySpan<byte> data)
    {
        _extensions.AddRange((byte)(type >> 8), (byte)type);
        _extensions.AddRange(Vector16(data));
        return this;
    }

    public HelloBuilder ServerName(ReadOnlySpan<byte> name) => Extension(0, Vector16([0, .. Vector16(name)]));

    public HelloBuilder ServerName(string name) => ServerName(Encoding.ASCII.GetBytes(name));

    public HelloBuilder Alpn(params IEnumerable<string> protocols)
        => Extension(16, Vector16([.. protocols.SelectMany(protocol => Vector8(Encoding.Latin1.GetBytes(protocol)))]));

    public HelloBuilder Versions(params IEnumerable<ushort> versions)
        => Extension(43, Vector8([.. versions.SelectMany(version => (byte[])[(byte)(version >> 8), (byte)version])]));

    /// <summary>The longest message there is: every vector is full. A server of TLS 1.2 finds what it needs in it.</summary>
    public static byte[] Longest()
    {
        const int Extensions = ushort.MaxValue, Header = 4;
        byte[] suites = [.. Enumerable.Repeat<byte[]>([0xFA, 0xFA], 32_765).SelectMany(static unknown => unknown), 0xC0, 0x2B, 0xC0, 0x2F];
        var hello = new HelloBuilder { SessionId = new byte[32], CipherSuites = suites, CompressionMethods = new byte[255] }
            .Extension(10, Vector16([0, 29, 0, 23]))
            .Extension(13, Vector16([4, 3, 8, 4, 4, 1]));
        return hello.Extension(21, new byte[Extensions - hello._extensions.Count - Header]).Message();
    }

    /// <summary>The handshake message.</summary>
    public byte[] Message()
    {
        byte[] body =
        [
            (byte)(LegacyVersion >> 8), (byte)LegacyVersion,
            .. new byte[32],
            .. Vector8(SessionId),
            .. Vector16(CipherSuites),
            .. Vector8(CompressionMethods),
            .. _extensions.Count > 0 ? Vector16([.. _extensions]) : [],
        ];
        return [1, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
    }

    /// <summary>The message in records of at most so many bytes.</summary>
    public byte[] Records(int fragmentLength = 1 << 14) => Records(Message(), fragmentLength);

    public static byte[] Records(ReadOnlySpan<byte> message, int fragmentLength)
    {
        var records = new List<byte>();
        while (!message.IsEmpty)
        {
            var fragment = message[..Math.Min(fragmentLength, message.Length)];
            records.AddRange(Record(22, fragment));
            message = message[fragment.Length..];
        }

        return [.. records];
    }

    public static byte[] Record(byte type, ReadOnlySpan<byte> fragment) => [type, 3, 1, .. Vector16(fragment)];

    public static byte[] Vector8(ReadOnlySpan<byte> data) => [checked((byte)data.Length), .. data];

    public static byte[] Vector16(ReadOnlySpan<byte> data)
    {
        var vector = new byte[2 + data.Length];
        BinaryPrimitives.WriteUInt16BigEndian(vector, checked((ushort)data.Length));
        data.CopyTo(vector.AsSpan(2));
        return vector;
    }
}
