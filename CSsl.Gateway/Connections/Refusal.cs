using CSsl.Tls;

namespace CSsl.Gateway.Connections;

/// <summary>Why a connection ends before its data phase, and what its client is told.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Answer">Bytes for the client, in plaintext; empty for none.</param>
/// <param name="Detail">For the log.</param>
internal sealed record Refusal(RefusalReason Reason, ReadOnlyMemory<byte> Answer = default, string Detail = "")
{
    /// <summary>A refusal with an alert: only while there are no keys.</summary>
    public static Refusal WithAlert(RefusalReason reason, AlertDescription alert, string detail = "")
        => new(reason, Alert.Of(alert).ToPlaintextRecord(), $"{detail}{(detail.Length > 0 ? ", " : "")}alert {alert}");
}
