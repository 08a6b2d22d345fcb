using System.Diagnostics.CodeAnalysis;

namespace CSsl.Tls;

/// <summary>A group of the key exchange, by its number on the wire (RFC 8446 section 4.2.7; the hybrid: draft-ietf-tls-ecdhe-mlkem).</summary>
[SuppressMessage("Design", "CA1008:Enums should have zero value", Justification = "0 is no group.")]
public enum NamedGroup : ushort
{
    Secp256r1 = 0x0017,
    Secp384r1 = 0x0018,
    Secp521r1 = 0x0019,
    X25519 = 0x001D,
    X448 = 0x001E,
    X25519MLKEM768 = 0x11EC,
}
