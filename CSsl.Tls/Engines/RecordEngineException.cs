namespace CSsl.Tls.Engines;

/// <summary>An engine can't be had, or failed at work. Nobody's protocol error: no alert belongs to it but internal_error.</summary>
public sealed class RecordEngineException(string message) : Exception(message);
