namespace CSsl.Tls;

/// <summary>The protocol versions that C-SSL negotiates, by their number on the wire.</summary>
public enum TlsVersion : ushort
{
    Tls12 = 0x0303,
    Tls13 = 0x0304,
}
