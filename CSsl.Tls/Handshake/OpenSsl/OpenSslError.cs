using System.Text;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>OpenSSL's error queue of this thread, as text.</summary>
internal static unsafe class OpenSslError
{
    /// <summary>The most characters of one message.</summary>
    private const int MaxLength = 256;

    /// <summary>Takes the oldest error, which is the cause of the others, and drops the rest. Null when there is none.</summary>
    public static string? Take()
    {
        var error = LibCrypto.ERR_get_error();
        LibCrypto.ERR_clear_error();
        if (error == 0)
            return null;

        var buffer = stackalloc byte[MaxLength];
        LibCrypto.ERR_error_string_n(error, buffer, MaxLength);
        var text = new ReadOnlySpan<byte>(buffer, MaxLength);
        return Encoding.ASCII.GetString(text[..text.IndexOf((byte)0)]);
    }

    /// <summary>An error of set-up: a call that fails only when it is wrong or memory is out.</summary>
    public static InvalidOperationException ToException(string call) => new($"{call} failed: {Take() ?? "no reason given"}.");

    /// <summary>Throws unless <paramref name="result"/> is 1 or more, which is how most of OpenSSL says success.</summary>
    public static void ThrowUnlessOne(nint result, string call)
    {
        if (result < 1)
            throw ToException(call);
    }
}
