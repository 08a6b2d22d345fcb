using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>
/// The ticket keys of a handshake factory as they are now: one to issue under, and more to open with. Handshake silos that hold the same
/// ring resume each other's sessions, by ticket or by session id. Until the first <see cref="Replace"/> there is one key, random: its tickets resume here only. Thread-safe; wiped when the factory and the last handshake are gone.
/// </summary>
public sealed unsafe class TicketKeys : IDisposable
{
    private const int IvLength = 16;

    private readonly Lock _gate = new();
    private SecretBytes[] _keys = [TicketKey.Generate()];
    private int _issuing;
    private int _users = 1;

    /// <summary>From now on the keys are those of <paramref name="ring"/>: all up to <see cref="TicketKeyRing.OldKeys"/> after the one that is issued under.</summary>
    /// <param name="ring">Copied.</param>
    /// <param name="issuing">Index of the key to issue under.</param>
    public void Replace(TicketKeyRing ring, int issuing)
    {
        ArgumentNullException.ThrowIfNull(ring);
        ArgumentOutOfRangeException.ThrowIfNegative(issuing);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(issuing, ring.Keys.Count);
        SecretBytes[] keys = [.. ring.Keys.Take(issuing + 1 + TicketKeyRing.OldKeys).Select(static key => new SecretBytes(key.Bytes))];
        lock (_gate)
        {
            if (_users > 0)
                (_keys, keys, _issuing) = (keys, _keys, issuing);
        }

        Wipe(keys);
    }

    public void Dispose() => Release();

    /// <summary>A handshake begins; it calls <see cref="Release"/> at its end.</summary>
    internal void Retain()
    {
        lock (_gate)
            _users++;
    }

    internal void Release()
    {
        lock (_gate)
        {
            if (--_users == 0)
                Wipe(_keys);
        }
    }

    /// <summary>For a new ticket: writes key name and IV, and gives both contexts their keys.</summary>
    /// <returns>What SSL_CTX_set_tlsext_ticket_key_evp_cb's callback answers.</returns>
    internal int Issue(byte* name, byte* iv, nint cipher, nint mac)
    {
        Span<byte> key = stackalloc byte[TicketKey.Length];
        lock (_gate)
            _keys[_issuing].Span.CopyTo(key);
        key[..TicketKey.NameLength].CopyTo(new Span<byte>(name, TicketKey.NameLength));
        RandomNumberGenerator.Fill(new Span<byte>(iv, IvLength));
        var done = TicketCipher.Begin(key, iv, cipher, mac, encrypt: true);
        CryptographicOperations.ZeroMemory(key);
        return done ? TicketCipher.Ok : TicketCipher.Failed;
    }

    /// <summary>For a ticket that a client sent: finds its key, and gives both contexts their keys.</summary>
    /// <param name="name">The key's name, as it is in the ticket.</param>
    /// <param name="iv">The ticket's IV.</param>
    /// <param name="cipher">An EVP_CIPHER_CTX.</param>
    /// <param name="mac">An EVP_MAC_CTX.</param>
    /// <param name="usedOnce">A client should not offer the same ticket again (RFC 8446 appendix C.4, TLS 1.3), so each use brings it the next. Else only a ticket
    /// under an old key is replaced.</param>
    /// <returns>What SSL_CTX_set_tlsext_ticket_key_evp_cb's callback answers.</returns>
    internal int Open(byte* name, byte* iv, nint cipher, nint mac, bool usedOnce)
    {
        Span<byte> key = stackalloc byte[TicketKey.Length];
        if (!TryCopy(new ReadOnlySpan<byte>(name, TicketKey.NameLength), key, out var isOld))
            return TicketCipher.Unknown;
        var done = TicketCipher.Begin(key, iv, cipher, mac, encrypt: false);
        CryptographicOperations.ZeroMemory(key);
        return !done ? TicketCipher.Failed : usedOnce || isOld ? TicketCipher.OkButRenew : TicketCipher.Ok;
    }

    /// <summary>Writes a new session id, of <see cref="SessionIds.Length"/> bytes.</summary>
    internal void MakeSessionId(Span<byte> destination)
    {
        Span<byte> key = stackalloc byte[SessionIds.KeyLength];
        lock (_gate)
            SessionIdKey(_keys[_issuing]).CopyTo(key);
        SessionIds.Generate(key, destination);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Whether a silo that holds one of the keys made the session id.</summary>
    internal bool IsOurSessionId(ReadOnlySpan<byte> id)
    {
        Span<byte> keys = stackalloc byte[TicketKeyRing.MaxKeys * SessionIds.KeyLength];
        var length = 0;
        lock (_gate)
        {
            foreach (var key in _keys)
            {
                SessionIdKey(key).CopyTo(keys[length..]);
                length += SessionIds.KeyLength;
            }
        }

        var isOurs = false;
        for (var at = 0; at < length && !isOurs; at += SessionIds.KeyLength)
            isOurs = SessionIds.IsMadeUnder(keys.Slice(at, SessionIds.KeyLength), id);
        CryptographicOperations.ZeroMemory(keys);
        return isOurs;
    }

    private static ReadOnlySpan<byte> SessionIdKey(SecretBytes key) => key.Span.Slice(TicketKey.SessionIdKeyOffset, SessionIds.KeyLength);

    private bool TryCopy(ReadOnlySpan<byte> name, Span<byte> destination, out bool isOld)
    {
        lock (_gate)
        {
            for (var i = 0; i < _keys.Length; i++)
            {
                if (!name.SequenceEqual(_keys[i].Span[..TicketKey.NameLength]))
                    continue;
                _keys[i].Span.CopyTo(destination);
                isOld = i > _issuing;
                return true;
            }
        }

        isOld = false;
        return false;
    }

    private static void Wipe(SecretBytes[] keys)
    {
        foreach (var key in keys)
            key.Dispose();
    }
}
