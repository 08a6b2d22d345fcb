using System.Buffers;
using System.Runtime.InteropServices;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>An SSL between two memory BIOs, which it owns. Keeps its context alive, and the object that its callbacks report to.</summary>
internal sealed unsafe class SafeSslHandle() : SafeHandle(0, ownsHandle: true)
{
    /// <summary>The application's slot (SSL_set_app_data).</summary>
    private const int StateIndex = 0;

    private nint _input;
    private nint _output;
    private GCHandle<CallbackState> _state;
    private SafeSslContextHandle? _context;

    public override bool IsInvalid => handle == 0;

    /// <summary>A server's SSL whose callbacks reach <paramref name="state"/>.</summary>
    public static SafeSslHandle Create(SafeSslContextHandle context, CallbackState state)
    {
        LibCrypto.ERR_clear_error();
        var ssl = LibSsl.SSL_new(context);
        if (ssl.IsInvalid)
            throw OpenSslError.ToException("SSL_new");

        var retained = false;
        context.DangerousAddRef(ref retained);
        ssl._context = context;

        var input = LibCrypto.BIO_new(LibCrypto.BIO_s_mem());
        var output = LibCrypto.BIO_new(LibCrypto.BIO_s_mem());
        if (input == 0 || output == 0)
        {
            _ = LibCrypto.BIO_free(input);
            _ = LibCrypto.BIO_free(output);
            ssl.Dispose();
            throw OpenSslError.ToException("BIO_new");
        }

        LibSsl.SSL_set_bio(ssl, input, output);
        (ssl._input, ssl._output) = (input, output);
        LibSsl.SSL_set_accept_state(ssl);

        state.TicketKeys.Retain();
        ssl._state = new GCHandle<CallbackState>(state);
        if (LibSsl.SSL_set_ex_data(ssl, StateIndex, GCHandle<CallbackState>.ToIntPtr(ssl._state)) != 1)
        {
            ssl.Dispose();
            throw OpenSslError.ToException("SSL_set_ex_data");
        }

        return ssl;
    }

    /// <summary>For callbacks: the state of an SSL's handshake.</summary>
    public static CallbackState StateOf(nint ssl)
        => GCHandle<CallbackState>.FromIntPtr(LibSsl.SSL_get_ex_data(ssl, StateIndex)).Target;

    /// <summary>Gives bytes of the client to OpenSSL.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
        {
            if (LibCrypto.BIO_write(_input, data, bytes.Length) != bytes.Length)
                throw OpenSslError.ToException("BIO_write");
        }
    }

    /// <summary>Moves what OpenSSL has for the client to <paramref name="output"/>, and shows it.</summary>
    /// <returns>The bytes moved: whole records.</returns>
    public int Drain(IBufferWriter<byte> output, ref ServerFlight flight)
    {
        byte* data;
        var length = (int)LibCrypto.BIO_ctrl(_output, LibCrypto.BioCtrlInfo, 0, &data);
        if (length <= 0)
            return 0;

        var records = new ReadOnlySpan<byte>(data, length);
        flight.Observe(records);
        records.CopyTo(output.GetSpan(length));
        output.Advance(length);
        _ = LibCrypto.BIO_ctrl(_output, LibCrypto.BioCtrlReset, 0, null);
        return length;
    }

    protected override bool ReleaseHandle()
    {
        // Without a shutdown in both directions SSL_free takes the session for a failed one and invalidates it.
        LibSsl.SSL_set_shutdown(handle, LibSsl.ShutdownBoth);
        LibSsl.SSL_free(handle);
        if (_state.IsAllocated)
            _state.Target.TicketKeys.Release();
        _state.Dispose();
        _context?.DangerousRelease();
        return true;
    }
}
