namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>OSSL_PARAM, field by field. An array of them ends with one that is all zero.</summary>
internal unsafe struct OsslParam
{
    public byte* Name;
    public uint Type;
    public void* Data;
    public nuint Length;
    public nuint Returned;

    private const uint Utf8String = 4, OctetString = 5;

    public static OsslParam Bytes(byte* name, void* data, nuint length) => Of(name, OctetString, data, length);

    public static OsslParam Text(byte* name, void* data, nuint length) => Of(name, Utf8String, data, length);

    private static OsslParam Of(byte* name, uint type, void* data, nuint length)
        => new() { Name = name, Type = type, Data = data, Length = length, Returned = nuint.MaxValue };
}
