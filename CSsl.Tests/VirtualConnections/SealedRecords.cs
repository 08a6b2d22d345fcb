using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using CSsl.Link;
using CSsl.Tests.Silo;
using CSsl.Tls;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.VirtualConnections;

/// <summary>A record that a silo sealed, whether or not the client got it.</summary>
/// <param name="Run">Where.</param>
/// <param name="KeyAndNonce">What it is sealed with.</param>
/// <param name="Hash">Of its ciphertext: the same for the same plaintext only.</param>
/// <param name="IsKeyUpdate">It says that the next key is used from now on.</param>
internal sealed record SealedRecord(SealedRun Run, string KeyAndNonce, string Hash, bool IsKeyUpdate);

/// <summary>
/// Every record of one session that any silo sealed, seen on the links, with its key and nonce: silos' keys are known from the capsules, which the test can open.
/// Says whether a pair of key and nonce ever covered two plaintexts.
/// </summary>
internal sealed class SealedRecords(CipherSuite suite, Sealer sealer)
{
    private readonly ConcurrentQueue<SealedRecord> _sealed = new();
    private readonly ConcurrentQueue<SealedRun> _runs = new();
    private readonly ConcurrentDictionary<string, bool> _delivered = new();

    public CipherSuiteInfo Suite { get; } = CipherSuiteInfo.Get(suite);

    public int Count => _sealed.Count;

    /// <summary>A silo gets the session.</summary>
    public SealedRun Begin(Attach attach)
    {
        var run = new SealedRun(this, attach);
        _runs.Enqueue(run);
        return run;
    }

    /// <summary>The client got a record.</summary>
    public void Deliver(ReadOnlySpan<byte> record) => Assert.True(_delivered.TryAdd(HashOf(record), true), "the client got a record twice");

    public bool IsDelivered(SealedRecord record) => _delivered.ContainsKey(record.Hash);

    internal void Add(SealedRecord record) => _sealed.Enqueue(record);

    /// <summary>The server's key in a capsule, and the number of the first record under it.</summary>
    internal (string Key, ulong Base) Open(ReadOnlyMemory<byte> capsule, Guid sessionId)
    {
        using var session = sealer.Open(capsule.Span, sessionId);
        return (Convert.ToHexString(session.ServerSecret.Span), session.ServerKeyBase);
    }

    /// <summary>What the client has, and what lost silos sealed, each nonce with one plaintext; but for what docs/adr/0005 says of records that were not delivered.</summary>
    public void Check()
    {
        foreach (var same in _sealed.GroupBy(static record => record.KeyAndNonce))
        {
            SealedRecord[] records = [.. same.DistinctBy(static record => record.Hash)];
            foreach (var one in records)
            {
                foreach (var other in records)
                    Assert.True(one == other || MayShare(one, other) || MayShare(other, one), $"{same.Key} covers two plaintexts; on the client's wire: {IsDelivered(one)}, {IsDelivered(other)}");
            }
        }
    }

    internal static string HashOf(ReadOnlySpan<byte> record) => Convert.ToHexString(SHA256.HashData(record)[..16]);

    private bool MayShare(SealedRecord lost, SealedRecord other)
    {
        if (IsDelivered(lost))
            return false;
        return Suite.Version == TlsVersion.Tls13 ? other.IsKeyUpdate || lost.IsKeyUpdate || _runs.Any(lost.Run.HasLostItsKeyUpdateTo) : Suite.Kind == CipherKind.ChaCha20Poly1305;
    }
}

/// <summary>A session at one silo: what that silo seals.</summary>
internal sealed class SealedRun
{
    private readonly SealedRecords _all;
    private readonly Guid _sessionId;
    private readonly Queue<Rekeyed> _announced = new();
    private readonly ConcurrentQueue<ulong> _keyUpdates = new();
    private readonly ulong _start;
    private readonly int _takeovers;
    private ulong _next;
    private string _key;
    private ulong _base;

    public SealedRun(SealedRecords all, Attach attach)
    {
        (_all, _sessionId, _start, _takeovers) = (all, attach.SessionId, attach.ServerSequence, attach.Takeovers);
        _next = _start;
        (_key, _base) = all.Open(attach.Capsule, attach.SessionId);
    }

    /// <summary>The silo was lost in the middle of a KeyUpdate, and a later one made the same new key again.</summary>
    public bool HasLostItsKeyUpdateTo(SealedRun later) => later._takeovers > _takeovers && _keyUpdates.Any(record => record >= later._start);

    public void Announce(Rekeyed rekeyed) => _announced.Enqueue(rekeyed);

    public void Add(ReadOnlySpan<byte> records)
    {
        foreach (var record in GatewayBooks.Split(records))
        {
            var isKeyUpdate = _announced.TryPeek(out var rekeyed) && rekeyed.ServerRecord == _next + 1;
            _all.Add(new SealedRecord(this, $"{_key}/{NonceOf(record)}", SealedRecords.HashOf(record), isKeyUpdate));
            _next++;
            if (!isKeyUpdate)
                continue;
            _keyUpdates.Enqueue(_next - 1);
            (_key, _base) = _all.Open(_announced.Dequeue().Capsule, _sessionId);
        }
    }

    private string NonceOf(byte[] record) => _all.Suite.ExplicitIvLength > 0
        ? Convert.ToHexString(record.AsSpan(RecordHeader.Size, _all.Suite.ExplicitIvLength))
        : (_next - _base).ToString(CultureInfo.InvariantCulture);
}
