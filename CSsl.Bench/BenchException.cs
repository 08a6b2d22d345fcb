namespace CSsl.Bench;

/// <summary>The measurement can't be made: one line that says why.</summary>
internal sealed class BenchException(string message) : Exception(message);
