namespace CSsl.Hosting;

/// <summary>A port, a folder or a name is taken by another process: the message says which, in one line.</summary>
public sealed class InUseException(string message, Exception? inner = null) : Exception(message, inner);
