using CSsl.Tls.Records;

namespace CSsl.Tls;

/// <summary>An alert message: what an alert record holds.</summary>
/// <remarks>
/// <code>
///   0       1             2
///   +-------+-------------+
///   | level | description |
///   +-------+-------------+
/// </code>
/// </remarks>
public readonly record struct Alert(AlertLevel Level, AlertDescription Description)
{
    /// <summary>Bytes of an alert.</summary>
    public const int Size = 2;

    /// <summary>Bytes of an alert record that is not encrypted.</summary>
    public const int PlaintextRecordSize = RecordHeader.Size + Size;

    /// <summary>The alert as it is sent: with the level that its description has by definition.</summary>
    public static Alert Of(AlertDescription description) => new(IsWarning(description) ? AlertLevel.Warning : AlertLevel.Fatal, description);

    /// <summary>True for the three descriptions that are never fatal when they are sent (RFC 8446 section 6.1, RFC 5246 section 7.2.2).</summary>
    public static bool IsWarning(AlertDescription description)
        => description is AlertDescription.CloseNotify or AlertDescription.UserCanceled or AlertDescription.NoRenegotiation;

    /// <summary>Reads the whole content of an alert record; false unless it is as long as exactly one alert. The level may be any number.</summary>
    public static bool TryRead(ReadOnlySpan<byte> content, out Alert alert)
    {
        alert = content.Length == Size ? new Alert((AlertLevel)content[0], (AlertDescription)content[1]) : default;
        return content.Length == Size;
    }

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)Level;
        destination[1] = (byte)Description;
    }

    /// <summary>The whole record, not encrypted, for a handshake that ends before there are keys: <see cref="PlaintextRecordSize"/> bytes.</summary>
    public byte[] ToPlaintextRecord()
    {
        var record = new byte[PlaintextRecordSize];
        new RecordHeader(ContentType.Alert, (ushort)TlsVersion.Tls12, Size).Write(record);
        Write(record.AsSpan(RecordHeader.Size));
        return record;
    }

    /// <summary>True when the connection ends by it: by its level in TLS 1.2, whatever its level in TLS 1.3 (RFC 8446 section 6).</summary>
    public bool IsFatal(TlsVersion version) => Description != AlertDescription.CloseNotify
        && (version == TlsVersion.Tls13 ? Description != AlertDescription.UserCanceled : Level == AlertLevel.Fatal);

    /// <summary>The name in the RFCs and the IANA registry, e.g. "bad_record_mac"; "alert_99" for a number that is not in it.</summary>
    public static string NameOf(AlertDescription description) => description switch
    {
        AlertDescription.CloseNotify => "close_notify",
        AlertDescription.UnexpectedMessage => "unexpected_message",
        AlertDescription.BadRecordMac => "bad_record_mac",
        AlertDescription.RecordOverflow => "record_overflow",
        AlertDescription.HandshakeFailure => "handshake_failure",
        AlertDescription.BadCertificate => "bad_certificate",
        AlertDescription.UnsupportedCertificate => "unsupported_certificate",
        AlertDescription.CertificateRevoked => "certificate_revoked",
        AlertDescription.CertificateExpired => "certificate_expired",
        AlertDescription.CertificateUnknown => "certificate_unknown",
        AlertDescription.IllegalParameter => "illegal_parameter",
        AlertDescription.UnknownCa => "unknown_ca",
        AlertDescription.AccessDenied => "access_denied",
        AlertDescription.DecodeError => "decode_error",
        AlertDescription.DecryptError => "decrypt_error",
        AlertDescription.ProtocolVersion => "protocol_version",
        AlertDescription.InsufficientSecurity => "insufficient_security",
        AlertDescription.InternalError => "internal_error",
        AlertDescription.InappropriateFallback => "inappropriate_fallback",
        AlertDescription.UserCanceled => "user_canceled",
        AlertDescription.NoRenegotiation => "no_renegotiation",
        AlertDescription.MissingExtension => "missing_extension",
        AlertDescription.UnsupportedExtension => "unsupported_extension",
        AlertDescription.UnrecognizedName => "unrecognized_name",
        AlertDescription.BadCertificateStatusResponse => "bad_certificate_status_response",
        AlertDescription.UnknownPskIdentity => "unknown_psk_identity",
        AlertDescription.CertificateRequired => "certificate_required",
        AlertDescription.NoApplicationProtocol => "no_application_protocol",
        AlertDescription.EchRequired => "ech_required",
        _ => $"alert_{(byte)description}",
    };

    public override string ToString() => NameOf(Description);
}

/// <summary>The peer broke the protocol. Carries the alert to send before closing.</summary>
/// <remarks>Misuse of the API by our own code throws <see cref="InvalidOperationException"/> or <see cref="ArgumentException"/> instead.</remarks>
public sealed class TlsException(AlertDescription alert, string message) : Exception(message)
{
    /// <summary>The fatal alert that tells the peer what it did.</summary>
    public AlertDescription Alert { get; } = alert;
}

/// <summary>The TLS alert registry (RFC 8446 section 6, RFC 5246 section 7.2, IANA "TLS Alerts").</summary>
public enum AlertDescription : byte
{
    CloseNotify = 0,
    UnexpectedMessage = 10,
    BadRecordMac = 20,
    RecordOverflow = 22,
    HandshakeFailure = 40,
    BadCertificate = 42,
    UnsupportedCertificate = 43,
    CertificateRevoked = 44,
    CertificateExpired = 45,
    CertificateUnknown = 46,
    IllegalParameter = 47,
    UnknownCa = 48,
    AccessDenied = 49,
    DecodeError = 50,
    DecryptError = 51,
    ProtocolVersion = 70,
    InsufficientSecurity = 71,
    InternalError = 80,
    InappropriateFallback = 86,
    UserCanceled = 90,
    NoRenegotiation = 100,
    MissingExtension = 109,
    UnsupportedExtension = 110,
    UnrecognizedName = 112,
    BadCertificateStatusResponse = 113,
    UnknownPskIdentity = 115,
    CertificateRequired = 116,
    NoApplicationProtocol = 120,
    EchRequired = 121,
}

/// <summary>The severity byte of an alert (RFC 5246 section 7.2; in TLS 1.3 all but two are fatal whatever it says).</summary>
public enum AlertLevel : byte
{
    Warning = 1,
    Fatal = 2,
}
