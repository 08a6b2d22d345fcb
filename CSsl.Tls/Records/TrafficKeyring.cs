using CSsl.Tls.Engines;
using CSsl.Tls.Keys;
using CSsl.Tls.Records.Protection;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records;

/// <summary>The keys of one direction over time: the protection in use and, in TLS 1.3, the traffic secret that its successor comes from.</summary>
internal sealed class TrafficKeyring : IDisposable
{
    private readonly CipherSuiteInfo? _suite;
    private readonly RecordDirection _direction;
    private readonly SecretBytes _trafficSecret;

    /// <summary>TLS 1.2: one key for good.</summary>
    public TrafficKeyring(IRecordEngine engine, RecordProtection protection)
    {
        Engine = engine;
        Protection = protection;
        _trafficSecret = SecretBytes.Empty;
    }

    /// <summary>TLS 1.3: keys that can be updated.</summary>
    /// <exception cref="ArgumentException">The secret is not as long as the suite's hash.</exception>
    public TrafficKeyring(IRecordEngine engine, CipherSuiteInfo suite, RecordDirection direction, ReadOnlySpan<byte> trafficSecret)
    {
        if (trafficSecret.Length != suite.HashLength)
            throw new ArgumentException($"{suite.IanaName} has traffic secrets of {suite.HashLength} bytes.", nameof(trafficSecret));
        Engine = engine;
        _suite = suite;
        _direction = direction;
        _trafficSecret = new SecretBytes(trafficSecret);
        try
        {
            Protection = Expand(suite, trafficSecret);
        }
        catch
        {
            _trafficSecret.Dispose();
            throw;
        }
    }

    /// <summary>Runs the jobs that <see cref="Protection"/> prepares.</summary>
    public IRecordEngine Engine { get; }

    public RecordProtection Protection { get; private set; }

    /// <summary>How often the key was updated.</summary>
    public uint Generation { get; private set; }

    public bool CanUpdate => _suite is not null;

    /// <summary>RFC 8446 section 7.2.</summary>
    /// <exception cref="InvalidOperationException">Not TLS 1.3.</exception>
    public void Update()
    {
        if (_suite is null)
            throw new InvalidOperationException("TLS 1.2 has no KeyUpdate.");
        TrafficKeys.MoveToNextSecret(_suite, _trafficSecret.Span);
        var old = Protection;
        Protection = Expand(_suite, _trafficSecret.Span);
        Generation++;
        old.Dispose();
    }

    /// <summary>A copy of the traffic secret, which the caller disposes; empty in TLS 1.2.</summary>
    public SecretBytes CopySecret() => new(_trafficSecret.Span);

    /// <summary>The traffic secret after the next <see cref="Update"/>, which the caller disposes.</summary>
    /// <exception cref="InvalidOperationException">Not TLS 1.3.</exception>
    public SecretBytes CopyNextSecret()
    {
        if (_suite is null)
            throw new InvalidOperationException("TLS 1.2 has no KeyUpdate.");
        var next = CopySecret();
        TrafficKeys.MoveToNextSecret(_suite, next.Span);
        return next;
    }

    public void Dispose()
    {
        Protection.Dispose();
        _trafficSecret.Dispose();
    }

    private RecordProtection Expand(CipherSuiteInfo suite, ReadOnlySpan<byte> trafficSecret)
    {
        using var keys = TrafficKeys.FromSecret(suite, trafficSecret);
        return RecordProtection.Create(Engine, suite, keys, _direction, explicitNonceBase: 0, encryptThenMac: false);
    }
}
