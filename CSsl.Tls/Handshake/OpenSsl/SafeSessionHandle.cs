using System.Runtime.InteropServices;
using System.Text;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>An SSL_SESSION.</summary>
internal sealed unsafe class SafeSessionHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    /// <summary>Reads a stored session; null when it is none, has another id, or was made for another name (RFC 6066 section 3: it must not be resumed).</summary>
    public static SafeSessionHandle? Read(ReadOnlySpan<byte> stored, ReadOnlySpan<byte> id, string? serverName)
    {
        LibCrypto.ERR_clear_error();
        SafeSessionHandle session;
        fixed (byte* data = stored)
        {
            var position = data;
            session = LibSsl.d2i_SSL_SESSION(0, &position, stored.Length);
        }

        if (!session.IsInvalid && IdOf(session.handle).SequenceEqual(id) && string.Equals(NameOf(session.handle), serverName, StringComparison.OrdinalIgnoreCase))
            return session;
        session.Dispose();
        LibCrypto.ERR_clear_error();
        return null;
    }

    /// <summary>The id of a session; valid as long as the session is.</summary>
    public static ReadOnlySpan<byte> IdOf(nint session)
    {
        uint length;
        return new ReadOnlySpan<byte>(LibSsl.SSL_SESSION_get_id(session, &length), (int)length);
    }

    /// <summary>Gives the session away: whoever gets it frees it.</summary>
    public nint Take()
    {
        var session = handle;
        SetHandleAsInvalid();
        return session;
    }

    protected override bool ReleaseHandle()
    {
        LibSsl.SSL_SESSION_free(handle);
        return true;
    }

    private static string? NameOf(nint session)
    {
        var name = LibSsl.SSL_SESSION_get0_hostname(session);
        return name is null ? null : Encoding.Latin1.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
    }
}
