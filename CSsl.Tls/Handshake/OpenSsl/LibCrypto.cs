using System.Runtime.InteropServices;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>The part of libcrypto (OpenSSL 3) that a server's handshake and a data link's need.</summary>
internal static unsafe partial class LibCrypto
{
    public const int BioCtrlReset = 1;
    public const int BioCtrlInfo = 3;

    private const string Library = "libcrypto.so.3";

    [LibraryImport(Library)]
    public static partial nint BIO_s_mem();

    [LibraryImport(Library)]
    public static partial nint BIO_new(nint method);

    /// <summary>Reads <paramref name="data"/> where it lies.</summary>
    [LibraryImport(Library)]
    public static partial nint BIO_new_mem_buf(byte* data, int length);

    [LibraryImport(Library)]
    public static partial int BIO_free(nint bio);

    [LibraryImport(Library)]
    public static partial int BIO_write(nint bio, byte* data, int length);

    [LibraryImport(Library)]
    public static partial nint BIO_ctrl(nint bio, int command, nint number, void* pointer);

    [LibraryImport(Library)]
    public static partial void ERR_clear_error();

    [LibraryImport(Library)]
    public static partial ulong ERR_get_error();

    /// <summary>A constant; null when the reason has no text.</summary>
    [LibraryImport(Library)]
    public static partial byte* ERR_reason_error_string(ulong error);

    [LibraryImport(Library)]
    public static partial void ERR_error_string_n(ulong error, byte* buffer, nuint length);

    /// <summary>Moves <paramref name="source"/> past what it read.</summary>
    [LibraryImport(Library)]
    public static partial SafeX509Handle d2i_X509(nint reuse, byte** source, nint length);

    [LibraryImport(Library)]
    public static partial SafeKeyHandle PEM_read_bio_PrivateKey(
        nint bio, nint reuse, delegate* unmanaged[Cdecl]<byte*, int, int, nint, int> password, nint argument);

    /// <summary>-1 for no stack.</summary>
    [LibraryImport(Library)]
    public static partial int OPENSSL_sk_num(nint stack);

    [LibraryImport(Library)]
    public static partial nint OPENSSL_sk_value(nint stack, int index);

    [LibraryImport(Library)]
    public static partial void X509_free(nint certificate);

    [LibraryImport(Library)]
    public static partial int X509_check_private_key(SafeX509Handle certificate, SafeKeyHandle key);

    /// <summary>With <paramref name="destination"/> null only the length; else writes there and moves the pointer.</summary>
    [LibraryImport(Library)]
    public static partial int i2d_X509(nint certificate, byte** destination);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint EVP_CIPHER_fetch(nint context, string algorithm, string? properties);

    [LibraryImport(Library)]
    public static partial int EVP_CipherInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv, int encrypt);

    [LibraryImport(Library)]
    public static partial int EVP_MAC_CTX_set_params(nint context, OsslParam* parameters);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeKeyHandle EVP_PKEY_new_raw_private_key_ex(nint context, string algorithm, string? properties, byte* key, nuint length);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeKeyHandle EVP_PKEY_new_raw_public_key_ex(nint context, string algorithm, string? properties, byte* key, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_get_raw_public_key(SafeKeyHandle key, byte* publicKey, nuint* length);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint EVP_PKEY_CTX_new_from_pkey(nint context, SafeKeyHandle key, string? properties);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive_init(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive_set_peer(nint context, SafeKeyHandle peer);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive(nint context, byte* secret, nuint* length);
}

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
