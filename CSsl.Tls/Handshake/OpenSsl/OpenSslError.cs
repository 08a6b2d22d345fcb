using System.Runtime.InteropServices;
using System.Text;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>OpenSSL's error queue of this thread, as text.</summary>
internal static unsafe class OpenSslError
{
    /// <summary>The most characters of one error, and of all together.</summary>
    private const int MaxLength = 256;

    /// <summary>Takes the queue, the cause before what it led to; null when it is empty.</summary>
    public static string? Take() => Take(out _, static _ => (HandshakeFailure?)null);

    /// <summary>Takes the queue, and what the first of its errors stands for that stands for anything.</summary>
    public static string? Take(SafeSslHandle ssl, out HandshakeFailure? failure) => Take(out failure, error => OpenSslFailure.Of(error, ssl));

    private static string? Take(out HandshakeFailure? failure, Func<ulong, HandshakeFailure?> judge)
    {
        failure = null;
        string? text = null;
        while (LibCrypto.ERR_get_error() is not 0 and var error)
        {
            text = text is null ? Describe(error) : $"{text}; {Describe(error)}";
            failure ??= judge(error);
        }

        return text?.Length > MaxLength ? text[..MaxLength] : text;
    }

    /// <summary>An error of set-up: a call that fails only when it is wrong or memory is out.</summary>
    public static InvalidOperationException ToException(string call) => new($"{call} failed: {Take() ?? "no reason given"}.");

    /// <summary>Throws unless <paramref name="result"/> is 1 or more, which is how most of OpenSSL says success.</summary>
    public static void ThrowUnlessOne(nint result, string call)
    {
        if (result < 1)
            throw ToException(call);
    }

    private static string Describe(ulong error)
    {
        var reason = LibCrypto.ERR_reason_error_string(error);
        if (reason != null)
            return Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(reason));
        var buffer = stackalloc byte[MaxLength];
        LibCrypto.ERR_error_string_n(error, buffer, MaxLength);
        return Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer));
    }
}
