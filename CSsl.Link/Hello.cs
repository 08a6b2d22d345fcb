using System.Text;
using CSsl.Tls.Keys;

namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Hello"/>: an ephemeral key, which is a challenge too, who is speaking, and what its channels may be sent.</summary>
/// <remarks>
/// <code>
///  0      4         6     7      8        12          44
///  +------+---------+-----+------+--------+-----------+----------------+----------------------+
///  | CSSL | version | end | zero | credit | key share | name u8 + text | cluster id u8 + text |
///  +------+---------+-----+------+--------+-----------+----------------+----------------------+
/// </code>
/// </remarks>
/// <param name="End">The end that speaks.</param>
/// <param name="Credit">Bytes of records per channel that it takes before it has given any back.</param>
/// <param name="KeyShare">A public key of X25519 that is never used twice.</param>
/// <param name="Identity">Who it says it is; true once the proof of the cluster key is there.</param>
internal sealed record Hello(LinkEnd End, int Credit, ReadOnlyMemory<byte> KeyShare, LinkIdentity Identity)
{
    public const ushort Version = 3;

    /// <summary>The longest there is.</summary>
    public const int MaxLength = 12 + X25519KeyPair.KeyLength + 2 * (1 + byte.MaxValue);

    private const uint Magic = 0x4C535343; // "CSSL"

    /// <exception cref="ArgumentException">The name or the cluster id is empty, too long, or has control characters.</exception>
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[MaxLength]);
        payload.U32(Magic);
        payload.U16(Version);
        payload.U8((byte)End);
        payload.U8(0);
        payload.Count(Credit);
        payload.Bytes(KeyShare.Span);
        payload.Text(IsName(Identity.Name) ? Identity.Name : throw new ArgumentException($"'{Identity.Name}' can't be the name of a process in the cluster."));
        payload.Text(IsName(Identity.ClusterId) ? Identity.ClusterId : throw new ArgumentException($"'{Identity.ClusterId}' can't be a cluster id."));
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not a hello of this version.</exception>
    public static Hello Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        if (reader.U32() != Magic)
            reader.Fail("does not begin like one: it is no C-SSL process");
        var version = reader.U16();
        if (version != Version)
            reader.Fail($"is of version {version} of the data link; this end speaks version {Version}");
        var end = (LinkEnd)reader.U8();
        if (end is not (LinkEnd.Gateway or LinkEnd.Silo) || reader.U8() != 0)
            reader.Fail("does not say which end it is");
        var credit = reader.Count();
        if (credit == 0)
            reader.Fail("grants no credit");
        var keyShare = reader.Bytes(X25519KeyPair.KeyLength).ToArray();
        var name = reader.Text();
        var cluster = reader.Text();
        if (!IsName(name))
            reader.Fail("has no usable name");
        if (!IsName(cluster))
            reader.Fail("has no usable cluster id");
        reader.Complete("The peer's Hello");
        return new Hello(end, credit, keyShare, new LinkIdentity(name!, cluster!));
    }

    // It goes to logs before it is proven: nothing that could break a line.
    private static bool IsName(string? text) => !string.IsNullOrEmpty(text) && Encoding.UTF8.GetByteCount(text) <= byte.MaxValue && !text.Any(char.IsControl);
}
