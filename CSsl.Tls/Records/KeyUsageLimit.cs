namespace CSsl.Tls.Records;

/// <summary>How many records one key may seal.</summary>
/// <param name="UpdateAt">From this many on a KeyUpdate is due (TLS 1.3).</param>
/// <param name="RefuseAt">From this many on nothing but alerts is sealed.</param>
internal readonly record struct KeyUsageLimit(ulong UpdateAt, ulong RefuseAt)
{
    /// <summary>2^24.5 full-size records, where RFC 8446 section 5.5 ends the safety margin of AES-GCM.</summary>
    private const ulong MaxGcmRecords = 23_726_566;

    /// <summary>AES-GCM keys are replaced after 2^23 records, a third of what they may seal, since the caller decides when its next turn to send is.
    /// TLS 1.2 can't replace them and stops at the same bound. For the others only the sequence number ends, which must not wrap.</summary>
    public static KeyUsageLimit For(CipherSuiteInfo suite) => suite.Kind == CipherKind.AesGcm
        ? new KeyUsageLimit(1UL << 23, MaxGcmRecords)
        : new KeyUsageLimit(1UL << 62, ulong.MaxValue);
}
