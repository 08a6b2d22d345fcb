namespace CSsl.Cli.Publish;

/// <summary>Publishing did not work; the message says why.</summary>
internal sealed class PublishException(string message) : Exception(message);
