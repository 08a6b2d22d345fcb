namespace CSsl.Hosting.Configuration;

/// <summary>The configuration can't be used. The message is one line for the operator: where (file and line, variable or argument), which key, what is expected.</summary>
public sealed class ConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
