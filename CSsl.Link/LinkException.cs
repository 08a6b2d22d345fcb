namespace CSsl.Link;

/// <summary>The link can't be made, or ended, or a payload is not what its kind says: why.</summary>
public sealed class LinkException(string message, Exception? inner = null) : Exception(message, inner);
